import { spawnSync } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { thisWriter } from '../../src/lib/file-writer.ts';
import { createStaging } from '../../src/outbound/media/staging.ts';
import { oneChunk } from '../support/memory-ports.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const { machine } = thisWriter();
const nameOf = (pid: number) => `${machine}-${pid}-0123456789abcdef.part`;

describe('the folder of received files', () => {
  it('loses the files of ended processes and keeps those of others', async () => {
    const folder = await temporaryFolder();
    const { pid: ended } = spawnSync(process.execPath, ['--version']);
    const kept = [nameOf(process.ppid), 'notes.txt'];
    for (const name of [nameOf(ended), ...kept]) await writeFile(join(folder, name), 'bytes');
    const staging = createStaging(folder);
    const own = await staging.write(oneChunk(Buffer.from('own')), { maxBytes: 10 });
    await staging.sweep();
    expect((await readdir(folder)).map((name) => join(folder, name)).toSorted()).toEqual(
      [own.path, ...kept.map((name) => join(folder, name))].toSorted(),
    );
  });

  it('has room for a limited number of bytes, and again after a file is removed', async () => {
    const folder = await temporaryFolder();
    const staging = createStaging(folder, { maxTotalBytes: 100 });
    const write = () => staging.write(oneChunk(Buffer.alloc(60)), { maxBytes: 80 });
    const first = await write();
    await expect(write()).rejects.toMatchObject({ code: 'storage_unavailable', retryAfterSeconds: 10 });
    expect(await readdir(folder)).toHaveLength(1);
    await staging.remove(first);
    await write();
  });

  it('gives a tenant a quarter of its room, so that others can send too', async () => {
    const folder = await temporaryFolder();
    const staging = createStaging(folder, { maxTotalBytes: 400 });
    const write = (tenant: string) => staging.write(oneChunk(Buffer.alloc(60)), { maxBytes: 80, tenant });
    const first = await write('acme');
    await expect(write('acme')).rejects.toMatchObject({ code: 'too_many_requests', retryAfterSeconds: 10 });
    await write('other');
    await staging.remove(first);
    await write('acme');
    expect(await readdir(folder)).toHaveLength(2);
  });

  it('refuses a file above its own limit and leaves nothing of it', async () => {
    const folder = await temporaryFolder();
    const write = createStaging(folder).write(oneChunk(Buffer.alloc(81)), { maxBytes: 80 });
    await expect(write).rejects.toMatchObject({ code: 'payload_too_large' });
    expect(await readdir(folder)).toEqual([]);
  });
});
