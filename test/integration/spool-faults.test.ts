import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import type { SpoolKey } from '../../src/domain/ports.ts';
import { type FileWriter, thisWriter } from '../../src/lib/file-writer.ts';
import { onDisk } from '../../src/outbound/spool/disk.ts';
import { createSpool } from '../../src/outbound/spool/spool.ts';
import { unfinishedFileName } from '../../src/outbound/spool/spool-name.ts';
import { compiledProgram } from '../support/service-process.ts';
import { bodyOf, entriesOf, errorOf, readSpooled, spoolHead, spoolKey } from '../support/spool.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('a failing write to the spool', () => {
  it('rethrows the error of a body unchanged and leaves no file', async () => {
    const folder = await temporaryFolder();
    const spool = createSpool(folder);
    const broken = new Error('reset');
    const body = (async function* () {
      yield Buffer.from('half');
      throw broken;
    })();
    expect(await errorOf(spool.write(spoolKey, spoolHead, body))).toBe(broken);
    expect(await readdir(folder)).toEqual([]);
    expect(await spool.open(spoolKey)).toBeNull();
  });

  it('leaves the earlier response intact if a second write fails', async () => {
    const spool = createSpool(await temporaryFolder());
    await spool.write(spoolKey, spoolHead, bodyOf('good'));
    const body = (async function* () {
      yield Buffer.from('half');
      throw new Error('reset');
    })();
    await errorOf(spool.write(spoolKey, spoolHead, body));
    expect((await readSpooled(spool, spoolKey))?.bytes.toString()).toBe('good');
  });

  it('rejects a body above the size limit and leaves no file', async () => {
    const folder = await temporaryFolder();
    const spool = createSpool(folder, { maxBytes: 10 });
    const error = await errorOf(spool.write(spoolKey, spoolHead, bodyOf('12345', '678901')));
    expect(error).toMatchObject({ code: 'storage_failed' });
    expect(await readdir(folder)).toEqual([]);
    await spool.write(spoolKey, spoolHead, bodyOf('1234567890'));
  });
});

describe('a failing disk', () => {
  it('rejects every operation with storage_failed, caused by the error of the disk', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    const spool = createSpool(join(folder, 'file'));
    for (const run of [
      () => spool.write(spoolKey, spoolHead, bodyOf('x')),
      () => spool.open(spoolKey),
      () => entriesOf(spool),
    ]) {
      const error = await errorOf(run());
      expect(error).toBeInstanceOf(AppError);
      expect(error).toMatchObject({ code: 'storage_failed', cause: expect.any(Error) });
    }
  });

  it('uses the disk again after it recovered', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'later');
    await writeFile(path, '');
    const spool = createSpool(join(path, 'spool'));
    expect(await errorOf(spool.write(spoolKey, spoolHead, bodyOf('x')))).toMatchObject({
      code: 'storage_failed',
    });
    await unlink(path);
    await spool.write(spoolKey, spoolHead, bodyOf('x'));
    expect((await readSpooled(spool, spoolKey))?.bytes.toString()).toBe('x');
  });

  it('writes, measures and lists after its folder disappeared', async () => {
    const folder = join(await temporaryFolder(), 'spool');
    const spool = createSpool(folder);
    for (const use of [
      () => spool.write(spoolKey, spoolHead, bodyOf('x')),
      () => spool.hasCapacity(),
      () => spool.usage(),
      () => spool.inspect(),
      () => entriesOf(spool),
      () => spool.check(),
    ]) {
      await use();
      await rm(folder, { recursive: true });
    }
  });

  it('keeps a response whose folder disappears while it is written', async () => {
    const folder = join(await temporaryFolder(), 'spool');
    const spool = createSpool(folder);
    const parts = [Buffer.alloc(700_000, 'first'), Buffer.alloc(700_000, 'second')];
    const body = (async function* () {
      yield parts[0] as Buffer;
      await rm(folder, { recursive: true });
      yield parts[1] as Buffer;
    })();
    await spool.write(spoolKey, spoolHead, body);
    expect((await readSpooled(spool, spoolKey))?.bytes.equals(Buffer.concat(parts))).toBe(true);
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('names a file in the place of the folder in its check', async () => {
    const path = join(await temporaryFolder(), 'spool');
    await writeFile(path, '');
    await expect(createSpool(path).check()).rejects.toMatchObject({
      code: 'storage_failed',
      message: expect.stringContaining('Remove that file'),
    });
  });

  it('names a full disk in the error message', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    const error = await errorOf(onDisk('write', () => Promise.reject(full)));
    expect(error).toMatchObject({
      code: 'storage_failed',
      cause: full,
      message: expect.stringContaining('full'),
    });
  });

  it('finds no response in a file with a damaged head line', async () => {
    const folder = await temporaryFolder();
    const spool = createSpool(folder);
    for (const text of ['', 'no line', '{"v":1}\nbody', '{"v":1,"provider":"studio"}', 'x'.repeat(20_000)]) {
      await writeFile(join(folder, 'acme.img_01.1.response'), text);
      expect(await spool.open(spoolKey)).toBeNull();
      expect(await entriesOf(spool)).toEqual([{ key: spoolKey, format: 'damaged' }]);
    }
  });
});

describe('unfinished files of the spool', () => {
  const dead = 4_194_305; // The id is above the highest process id of Linux.
  const random = '0123456789abcdef';
  const hourMs = 3_600_000;

  const here = thisWriter();
  const elsewhere = { machine: '0a1b2c3d', pid: process.pid };

  async function leftover(folder: string, writer: FileWriter, ageMs: number): Promise<string> {
    const name = unfinishedFileName('acme.img_01.1.response', writer, random);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, name), 'half');
    const at = new Date(Date.now() - ageMs);
    await utimes(join(folder, name), at, at);
    return name;
  }

  const writers: [string, FileWriter, number, 'removed' | 'retained'][] = [
    ['of a dead process, written a moment ago', { ...here, pid: dead }, 0, 'removed'],
    ['of this process, written a moment ago', here, 0, 'retained'],
    ['of an earlier process with the same id', here, 20 * hourMs, 'removed'],
    ['of another living process, hours old', { ...here, pid: process.ppid }, 20 * hourMs, 'retained'],
    ['of another living process, older than a day', { ...here, pid: process.ppid }, 25 * hourMs, 'removed'],
    ['of another machine, younger than three hours', elsewhere, 2.9 * hourMs, 'retained'],
    ['of another machine, older than three hours', elsewhere, 3.1 * hourMs, 'removed'],
  ];

  it.each(writers)(
    'removes or keeps an unfinished file %s at the first write and at each sweep',
    async (...given) => {
      const [, writer, ageMs, outcome] = given;
      const folder = await temporaryFolder();
      const spool = createSpool(folder);
      const first = await leftover(folder, writer, ageMs);
      await writeFile(join(folder, 'notes.tmp'), 'not ours');
      await spool.write(spoolKey, spoolHead, bodyOf('x'));
      expect((await readdir(folder)).includes(first)).toBe(outcome === 'retained');
      const later = await leftover(folder, writer, ageMs);
      await spool.removeUnfinished(async () => true);
      const left = await readdir(folder);
      expect(left.includes(later)).toBe(outcome === 'retained');
      expect(left).toContain('notes.tmp');
    },
  );

  it('removes an unfinished file of an unwanted response, even if its writer is alive', async () => {
    const folder = await temporaryFolder();
    for (const writer of [here, elsewhere]) await leftover(folder, writer, 0);
    const asked: SpoolKey[] = [];
    await createSpool(folder).removeUnfinished(async (each) => {
      asked.push(each);
      return false;
    });
    expect(asked).toEqual([here, elsewhere].map(() => ({ tenant: 'acme', jobId: 'img_01', attemptNo: 1 })));
    expect(await readdir(folder)).toEqual([]);
  });

  it('never lists or opens an unfinished file as a response', async () => {
    const folder = await temporaryFolder();
    await leftover(folder, here, 0);
    const spool = createSpool(folder);
    expect(await spool.open(spoolKey)).toBeNull();
    expect(await entriesOf(spool)).toEqual([]);
  });
});

describe('a killed writer of the spool', () => {
  it.each([1, 20, 50])(
    'contains only complete responses after its writer was killed at chunk %i',
    async (chunks) => {
      const folder = await temporaryFolder();
      const child = spawn(process.execPath, [compiledProgram('spool-writer-process'), folder], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let seen = 0;
      for await (const _ of createInterface({ input: child.stdout })) {
        seen += 1;
        if (seen === chunks) break;
      }
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      expect(child.signalCode).toBe('SIGKILL');

      const spool = createSpool(folder);
      let complete = 0;
      for (let attemptNo = 1; attemptNo < 200; attemptNo += 1) {
        const found = await readSpooled(spool, { tenant: 't', jobId: 'img_x', attemptNo });
        if (!found) continue;
        complete += 1;
        expect(found.head).toEqual({ provider: 'studio', providerRequestId: `req_${attemptNo}` });
        expect(found.bytes.equals(Buffer.alloc(16 * 64 * 1024, attemptNo))).toBe(true);
      }
      expect(complete).toBeGreaterThanOrEqual(Math.floor((chunks - 1) / 16));
      expect(complete).toBeLessThan(199);
    },
  );
});
