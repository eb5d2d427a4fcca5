import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import type { Spool, SpoolEntry, SpoolKey } from '../../src/domain/ports.ts';
import { onDisk } from '../../src/outbound/spool/disk.ts';
import { createSpool } from '../../src/outbound/spool/spool.ts';
import { unfinishedFileName, type Writer } from '../../src/outbound/spool/spool-name.ts';
import { thisWriter } from '../../src/outbound/spool/sweep-unfinished.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const key: SpoolKey = { tenant: 'acme', jobId: 'img_01', attemptNo: 1 };
const head = { provider: 'studio', providerRequestId: 'req_1' };
const noId = { provider: 'studio' };

async function* parts(...given: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of given) yield Buffer.from(part);
}

async function readAll(spool: Spool, at: SpoolKey) {
  const found = await spool.open(at);
  if (!found || found.format === 'unknown') return null;
  const chunks: Uint8Array[] = [];
  for await (const chunk of found.body) chunks.push(chunk);
  return { head: found.head, bytes: Buffer.concat(chunks) };
}

async function listed(spool: Spool): Promise<SpoolEntry[]> {
  const entries: SpoolEntry[] = [];
  for await (const entry of spool.list()) entries.push(entry);
  return entries;
}

async function errorOf(run: Promise<unknown>): Promise<unknown> {
  return run.then(
    () => null,
    (error: unknown) => error,
  );
}

describe('a response in the spool', () => {
  it('returns a response byte for byte with its head, in another process too', async () => {
    const folder = join(await temporaryFolder(), 'not', 'there', 'yet');
    const bytes = Buffer.alloc(700_000, 'a line\nand another\n');
    await createSpool(folder).write(key, head, parts(bytes.subarray(0, 3), bytes.subarray(3)));
    const found = await readAll(createSpool(folder), key);
    expect(found?.head).toEqual(head);
    expect(found?.bytes.equals(bytes)).toBe(true);
  });

  it('stores a response without a request id and without bytes', async () => {
    const spool = createSpool(await temporaryFolder());
    await spool.write(key, noId, parts());
    expect(await readAll(spool, key)).toEqual({ head: noId, bytes: Buffer.alloc(0) });
  });

  it('opens the same response repeatedly, each body readable once', async () => {
    const spool = createSpool(await temporaryFolder());
    await spool.write(key, head, parts('paid'));
    const found = await spool.open(key);
    for (let i = 0; i < 2; i += 1) {
      let text = '';
      for await (const chunk of found?.format === 'known' ? found.body : [])
        text += Buffer.from(chunk).toString();
      expect(text).toBe(i === 0 ? 'paid' : '');
    }
    expect((await readAll(spool, key))?.bytes.toString()).toBe('paid');
  });

  it('replaces an earlier response under the same key', async () => {
    const spool = createSpool(await temporaryFolder());
    await spool.write(key, head, parts('a longer first one'));
    await spool.write(key, noId, parts('second'));
    expect(await readAll(spool, key)).toEqual({ head: noId, bytes: Buffer.from('second') });
  });

  it('finds no response before the write and after the removal', async () => {
    const folder = await temporaryFolder();
    const spool = createSpool(join(folder, 'new'));
    expect(await spool.open(key)).toBeNull();
    await spool.remove(key);
    await spool.write(key, head, parts('x'));
    await spool.remove(key);
    await spool.remove(key);
    expect(await spool.open(key)).toBeNull();
    expect(await readdir(join(folder, 'new'))).toEqual([]);
  });

  it('removes a response that is still being written when the removal starts', async () => {
    const spool = createSpool(await temporaryFolder());
    const written = spool.write(key, head, parts('one ', 'two'));
    await spool.remove(key);
    await written;
    expect(await listed(spool)).toEqual([]);
  });

  it('keeps responses written side by side apart', async () => {
    const spool = createSpool(await temporaryFolder());
    const keys = Array.from({ length: 20 }, (_, i) => ({
      tenant: `t${i % 3}`,
      jobId: `img_${i >> 1}`,
      attemptNo: 1 + (i % 2),
    }));
    const names = new Map(keys.map((k) => [JSON.stringify(k), k]));
    await Promise.all([...names].map(([name, k]) => spool.write(k, noId, parts(name))));
    for (const [name, k] of names) expect((await readAll(spool, k))?.bytes.toString()).toBe(name);
    expect(new Set((await listed(spool)).map((entry) => JSON.stringify(entry.key)))).toEqual(
      new Set(names.keys()),
    );
  });

  it('creates files that only their owner can read', async () => {
    const folder = join(await temporaryFolder(), 'private');
    await createSpool(folder).write(key, head, parts('x'));
    expect((await stat(folder)).mode & 0o077).toBe(0);
    const [name] = await readdir(folder);
    expect((await stat(join(folder, name ?? ''))).mode & 0o077).toBe(0);
  });
});

describe('a failing write to the spool', () => {
  it('rethrows the error of a body unchanged and leaves no file', async () => {
    const folder = await temporaryFolder();
    const spool = createSpool(folder);
    const broken = new Error('reset');
    const body = (async function* () {
      yield Buffer.from('half');
      throw broken;
    })();
    expect(await errorOf(spool.write(key, head, body))).toBe(broken);
    expect(await readdir(folder)).toEqual([]);
    expect(await spool.open(key)).toBeNull();
  });

  it('leaves the earlier response intact if a second write fails', async () => {
    const spool = createSpool(await temporaryFolder());
    await spool.write(key, head, parts('good'));
    const body = (async function* () {
      yield Buffer.from('half');
      throw new Error('reset');
    })();
    await errorOf(spool.write(key, head, body));
    expect((await readAll(spool, key))?.bytes.toString()).toBe('good');
  });

  it('rejects a body above the size limit and leaves no file', async () => {
    const folder = await temporaryFolder();
    const spool = createSpool(folder, { maxBytes: 10 });
    const error = await errorOf(spool.write(key, head, parts('12345', '678901')));
    expect(error).toMatchObject({ code: 'storage_failed' });
    expect(await readdir(folder)).toEqual([]);
    await spool.write(key, head, parts('1234567890'));
  });
});

describe('the fill level of the spool', () => {
  it('reports that it is full from the limit on, and announces each change once', async () => {
    let nowMs = 0;
    const changes: boolean[] = [];
    const spool = createSpool(await temporaryFolder(), {
      fullBytes: 1_000,
      clock: () => nowMs,
      onRoom: (hasRoom) => changes.push(hasRoom),
    });
    const measure = async () => {
      nowMs += 1_000;
      return [await spool.hasRoom(), await spool.hasRoom()];
    };
    expect(await measure()).toEqual([true, true]);
    await spool.write(key, head, parts(Buffer.alloc(1_000)));
    expect(await measure()).toEqual([false, false]);
    expect(await measure()).toEqual([false, false]);
    const { usedBytes, fullBytes } = await spool.usage();
    expect(usedBytes).toBeGreaterThanOrEqual(1_000);
    expect(fullBytes).toBe(1_000);
    await spool.remove(key);
    expect(await measure()).toEqual([true, true]);
    expect(changes).toEqual([false, true]);
    expect(await spool.usage()).toEqual({ usedBytes: 0, fullBytes: 1_000 });
  });
});

describe('a failing disk', () => {
  it('rejects every operation with storage_failed, caused by the error of the disk', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    const spool = createSpool(join(folder, 'file'));
    for (const run of [
      () => spool.write(key, head, parts('x')),
      () => spool.open(key),
      () => listed(spool),
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
    expect(await errorOf(spool.write(key, head, parts('x')))).toMatchObject({ code: 'storage_failed' });
    await unlink(path);
    await spool.write(key, head, parts('x'));
    expect((await readAll(spool, key))?.bytes.toString()).toBe('x');
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
      expect(await spool.open(key)).toBeNull();
      expect(await listed(spool)).toEqual([{ key, format: 'damaged' }]);
    }
  });
});

describe('a spool file of another release', () => {
  const file = 'acme.img_01.1.response';

  it.each([
    ['a newer head line', '{"v":2,"kind":"edit"}\nbody'],
    ['a head line that is longer than this release reads', `{"v":2,"more":"${'x'.repeat(100_000)}"}\nbody`],
    ['a binary head', '{"v":2}\u0000\u0001'],
  ])('reports an unknown version and keeps the file: %s', async (_name, text) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, file), text);
    const spool = createSpool(folder);
    expect(await spool.open(key)).toEqual({ format: 'unknown', version: 2 });
    expect(await listed(spool)).toEqual([{ key, format: 'unknown', version: 2 }]);
    expect(await readFile(join(folder, file), 'utf8')).toBe(text);
  });

  it('reads a file of its own version with fields that it does not know', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, file), '{"v":1,"provider":"acme-images","later":{"a":1}}\npaid');
    const spool = createSpool(folder);
    const found = await readAll(spool, key);
    expect(found?.head).toEqual({ provider: 'acme-images' });
    expect(found?.bytes.toString()).toBe('paid');
    expect(await listed(spool)).toEqual([{ key, format: 'known', provider: 'acme-images' }]);
  });
});

describe('a spool key', () => {
  it.each([
    { ...key, tenant: '../..' },
    { ...key, tenant: '' },
    { ...key, jobId: 'a/b' },
    { ...key, jobId: 'a.b' },
    { ...key, jobId: 'a\u0000' },
    { ...key, jobId: 'x'.repeat(300) },
    { ...key, attemptNo: 0 },
    { ...key, attemptNo: 1.5 },
    { ...key, attemptNo: Number.NaN },
  ])('never turns the key %j into a path', async (bad) => {
    const folder = await temporaryFolder();
    const spool = createSpool(join(folder, 'spool'));
    for (const run of [
      () => spool.write(bad, head, parts('x')),
      () => spool.open(bad),
      () => spool.remove(bad),
    ]) {
      expect(await errorOf(run())).toMatchObject({ code: 'internal' });
    }
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('unfinished files of the spool', () => {
  const dead = 4_194_305; // The id is above the highest process id of Linux.
  const random = '0123456789abcdef';
  const hourMs = 3_600_000;

  const here = thisWriter();
  const elsewhere = { machine: '0a1b2c3d', pid: process.pid };

  async function leftover(folder: string, writer: Writer, ageMs: number): Promise<string> {
    const name = unfinishedFileName('acme.img_01.1.response', writer, random);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, name), 'half');
    const at = new Date(Date.now() - ageMs);
    await utimes(join(folder, name), at, at);
    return name;
  }

  const writers: [string, Writer, number, 'removed' | 'retained'][] = [
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
      await spool.write(key, head, parts('x'));
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
    expect(await spool.open(key)).toBeNull();
    expect(await listed(spool)).toEqual([]);
  });
});

describe('a killed writer of the spool', () => {
  it.each([1, 20, 50])(
    'contains only complete responses after its writer was killed at chunk %i',
    async (chunks) => {
      const folder = await temporaryFolder();
      const script = fileURLToPath(new URL('../support/spool-writer-process.ts', import.meta.url));
      const child = spawn(process.execPath, ['--import', 'tsx', script, folder], {
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
        const found = await readAll(spool, { tenant: 't', jobId: 'img_x', attemptNo });
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
