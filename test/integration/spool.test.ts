import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import type { Spool, SpoolKey } from '../../src/domain/ports.ts';
import { onDisk } from '../../src/outbound/spool/disk.ts';
import { createSpool } from '../../src/outbound/spool/spool.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const key: SpoolKey = { tenant: 'acme', jobId: 'img_01', attemptNo: 1 };
const head = { providerRequestId: 'req_1' };

async function* parts(...given: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of given) yield Buffer.from(part);
}

async function readAll(spool: Spool, at: SpoolKey) {
  const found = await spool.open(at);
  if (!found) return null;
  const chunks: Uint8Array[] = [];
  for await (const chunk of found.body) chunks.push(chunk);
  return { head: found.head, bytes: Buffer.concat(chunks) };
}

async function listed(spool: Spool): Promise<SpoolKey[]> {
  const keys: SpoolKey[] = [];
  for await (const found of spool.list()) keys.push(found);
  return keys;
}

async function errorOf(run: Promise<unknown>): Promise<unknown> {
  return run.then(
    () => null,
    (error: unknown) => error,
  );
}

describe('an answer in the spool', () => {
  it('comes back byte for byte, with its head, also in another process life', async () => {
    const folder = join(await temporaryFolder(), 'not', 'there', 'yet');
    const bytes = Buffer.alloc(700_000, 'a line\nand another\n');
    await createSpool(folder).write(key, head, parts(bytes.subarray(0, 3), bytes.subarray(3)));
    const found = await readAll(createSpool(folder), key);
    expect(found?.head).toEqual(head);
    expect(found?.bytes.equals(bytes)).toBe(true);
  });

  it('may have no request id and no bytes', async () => {
    const spool = createSpool(await temporaryFolder());
    await spool.write(key, {}, parts());
    expect(await readAll(spool, key)).toEqual({ head: {}, bytes: Buffer.alloc(0) });
  });

  it('is read again as often as asked', async () => {
    const spool = createSpool(await temporaryFolder());
    await spool.write(key, head, parts('paid'));
    const found = await spool.open(key);
    for (let i = 0; i < 2; i += 1) {
      let text = '';
      for await (const chunk of found?.body ?? []) text += Buffer.from(chunk).toString();
      // A body is read once; opening again starts over.
      expect(text).toBe(i === 0 ? 'paid' : '');
    }
    expect((await readAll(spool, key))?.bytes.toString()).toBe('paid');
  });

  it('replaces an earlier one under the same name', async () => {
    const spool = createSpool(await temporaryFolder());
    await spool.write(key, head, parts('a longer first one'));
    await spool.write(key, {}, parts('second'));
    expect(await readAll(spool, key)).toEqual({ head: {}, bytes: Buffer.from('second') });
  });

  it('is not there before it was written, and after it was removed', async () => {
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

  it('that is still being written is gone once its removal is done', async () => {
    const spool = createSpool(await temporaryFolder());
    const written = spool.write(key, head, parts('one ', 'two'));
    await spool.remove(key);
    await written;
    expect(await listed(spool)).toEqual([]);
  });

  it('is one of many that do not get in each other`s way', async () => {
    const spool = createSpool(await temporaryFolder());
    const keys = Array.from({ length: 20 }, (_, i) => ({
      tenant: `t${i % 3}`,
      jobId: `img_${i >> 1}`,
      attemptNo: 1 + (i % 2),
    }));
    const names = new Map(keys.map((k) => [JSON.stringify(k), k]));
    await Promise.all([...names].map(([name, k]) => spool.write(k, {}, parts(name))));
    for (const [name, k] of names) expect((await readAll(spool, k))?.bytes.toString()).toBe(name);
    expect(new Set((await listed(spool)).map((k) => JSON.stringify(k)))).toEqual(new Set(names.keys()));
  });

  it('can be read by its owner only', async () => {
    const folder = join(await temporaryFolder(), 'private');
    await createSpool(folder).write(key, head, parts('x'));
    expect((await stat(folder)).mode & 0o077).toBe(0);
    const [name] = await readdir(folder);
    expect((await stat(join(folder, name ?? ''))).mode & 0o077).toBe(0);
  });
});

describe('a body that breaks off', () => {
  it('leaves nothing behind, and its error comes out as it is', async () => {
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

  it('leaves an earlier answer as it was', async () => {
    const spool = createSpool(await temporaryFolder());
    await spool.write(key, head, parts('good'));
    const body = (async function* () {
      yield Buffer.from('half');
      throw new Error('reset');
    })();
    await errorOf(spool.write(key, head, body));
    expect((await readAll(spool, key))?.bytes.toString()).toBe('good');
  });

  it('above the limit is refused and leaves nothing behind', async () => {
    const folder = await temporaryFolder();
    const spool = createSpool(folder, { maxBytes: 10 });
    const error = await errorOf(spool.write(key, head, parts('12345', '678901')));
    expect(error).toMatchObject({ code: 'storage_failed' });
    expect(await readdir(folder)).toEqual([]);
    await spool.write(key, head, parts('1234567890'));
  });
});

describe('a spool that fills up', () => {
  it('has no room from its limit on and has again below it, and tells of each change once', async () => {
    let nowMs = 0;
    const eventWritten: boolean[] = [];
    const spool = createSpool(await temporaryFolder(), {
      fullBytes: 1_000,
      clock: () => nowMs,
      onRoom: (hasRoom) => eventWritten.push(hasRoom),
    });
    const looked = async () => {
      nowMs += 1_000;
      return [await spool.hasRoom(), await spool.hasRoom()];
    };
    expect(await looked()).toEqual([true, true]);
    await spool.write(key, head, parts(Buffer.alloc(1_000)));
    expect(await looked()).toEqual([false, false]);
    expect(await looked()).toEqual([false, false]);
    const { usedBytes, fullBytes } = await spool.usage();
    expect(usedBytes).toBeGreaterThanOrEqual(1_000);
    expect(fullBytes).toBe(1_000);
    await spool.remove(key);
    expect(await looked()).toEqual([true, true]);
    expect(eventWritten).toEqual([false, true]);
    expect(await spool.usage()).toEqual({ usedBytes: 0, fullBytes: 1_000 });
  });
});

describe('a disk that does not do its part', () => {
  it('gives storage_failed with its own error as the cause', async () => {
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

  it('is tried again when it works later', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'later');
    await writeFile(path, '');
    const spool = createSpool(join(path, 'spool'));
    expect(await errorOf(spool.write(key, head, parts('x')))).toMatchObject({ code: 'storage_failed' });
    await unlink(path);
    await spool.write(key, head, parts('x'));
    expect((await readAll(spool, key))?.bytes.toString()).toBe('x');
  });

  it('is told in words when it is full', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    const error = await errorOf(onDisk('write', () => Promise.reject(full)));
    expect(error).toMatchObject({
      code: 'storage_failed',
      cause: full,
      message: expect.stringContaining('full'),
    });
  });

  it('gives no answer for a file whose first line is damaged', async () => {
    const folder = await temporaryFolder();
    const spool = createSpool(folder);
    for (const text of ['', 'no line', '{"v":2}\nbody', 'x'.repeat(20_000)]) {
      await writeFile(join(folder, 'acme.img_01.1.answer'), text);
      expect(await spool.open(key)).toBeNull();
    }
  });
});

describe('a key', () => {
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
  ])('%j never becomes a path', async (bad) => {
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

describe('leftovers', () => {
  const dead = 4_194_305; // Above the highest process id Linux gives out.
  const random = '0123456789abcdef';
  const hourMs = 3_600_000;

  async function leftover(folder: string, pid: number, ageMs: number): Promise<string> {
    const name = `acme.img_01.1.answer.${pid}-${random}.tmp`;
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, name), 'half');
    const at = new Date(Date.now() - ageMs);
    await utimes(join(folder, name), at, at);
    return name;
  }

  it.each([
    ['of a dead process, older than three hours', dead, 3.1 * hourMs, false],
    ['of a dead process, younger than three hours', dead, 2.9 * hourMs, true],
    ['of a living process, hours old', process.pid, 20 * hourMs, true],
    ['of any process, older than a day', process.pid, 25 * hourMs, false],
  ])('%s: kept is %s', async (_name, pid, ageMs, kept) => {
    const folder = await temporaryFolder();
    const name = await leftover(folder, pid, ageMs);
    await writeFile(join(folder, 'notes.tmp'), 'not ours');
    await createSpool(folder).write(key, head, parts('x'));
    const left = await readdir(folder);
    expect(left.includes(name)).toBe(kept);
    expect(left).toContain('notes.tmp');
  });

  it('are never taken for an answer', async () => {
    const folder = await temporaryFolder();
    await leftover(folder, dead, 0);
    const spool = createSpool(folder);
    expect(await spool.open(key)).toBeNull();
    expect(await listed(spool)).toEqual([]);
  });
});

describe('a writer killed at any moment', () => {
  it.each([1, 20, 50])('leaves only complete answers, killed at chunk %i', async (chunks) => {
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
      expect(found.head).toEqual({ providerRequestId: `req_${attemptNo}` });
      expect(found.bytes.equals(Buffer.alloc(16 * 64 * 1024, attemptNo))).toBe(true);
    }
    expect(complete).toBeGreaterThanOrEqual(Math.floor((chunks - 1) / 16));
    expect(complete).toBeLessThan(199);
  });
});
