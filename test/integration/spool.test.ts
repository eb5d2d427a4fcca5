import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createSpool } from '../../src/outbound/spool/spool.ts';
import {
  bodyOf,
  entriesOf,
  errorOf,
  headWithoutId,
  readSpooled,
  spoolHead,
  spoolKey,
} from '../support/spool.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('a response in the spool', () => {
  it('returns a response byte for byte with its head, in another process too', async () => {
    const folder = join(await temporaryFolder(), 'not', 'there', 'yet');
    const bytes = Buffer.alloc(700_000, 'a line\nand another\n');
    await createSpool(folder).write(spoolKey, spoolHead, bodyOf(bytes.subarray(0, 3), bytes.subarray(3)));
    const found = await readSpooled(createSpool(folder), spoolKey);
    expect(found?.head).toEqual(spoolHead);
    expect(found?.bytes.equals(bytes)).toBe(true);
  });

  it('stores a response without a request id and without bytes', async () => {
    const spool = createSpool(await temporaryFolder());
    await spool.write(spoolKey, headWithoutId, bodyOf());
    expect(await readSpooled(spool, spoolKey)).toEqual({ head: headWithoutId, bytes: Buffer.alloc(0) });
  });

  it('opens the same response repeatedly, each body readable once', async () => {
    const spool = createSpool(await temporaryFolder());
    await spool.write(spoolKey, spoolHead, bodyOf('paid'));
    const found = await spool.open(spoolKey);
    for (let i = 0; i < 2; i += 1) {
      let text = '';
      for await (const chunk of found?.format === 'known' ? found.body : [])
        text += Buffer.from(chunk).toString();
      expect(text).toBe(i === 0 ? 'paid' : '');
    }
    expect((await readSpooled(spool, spoolKey))?.bytes.toString()).toBe('paid');
  });

  it('replaces an earlier response under the same key', async () => {
    const spool = createSpool(await temporaryFolder());
    await spool.write(spoolKey, spoolHead, bodyOf('a longer first one'));
    await spool.write(spoolKey, headWithoutId, bodyOf('second'));
    expect(await readSpooled(spool, spoolKey)).toEqual({ head: headWithoutId, bytes: Buffer.from('second') });
  });

  it('finds no response before the write and after the removal', async () => {
    const folder = await temporaryFolder();
    const spool = createSpool(join(folder, 'new'));
    expect(await spool.open(spoolKey)).toBeNull();
    await spool.remove(spoolKey);
    await spool.write(spoolKey, spoolHead, bodyOf('x'));
    await spool.remove(spoolKey);
    await spool.remove(spoolKey);
    expect(await spool.open(spoolKey)).toBeNull();
    expect(await readdir(join(folder, 'new'))).toEqual([]);
  });

  it('removes a response that is still being written when the removal starts', async () => {
    const spool = createSpool(await temporaryFolder());
    const written = spool.write(spoolKey, spoolHead, bodyOf('one ', 'two'));
    await spool.remove(spoolKey);
    await written;
    expect(await entriesOf(spool)).toEqual([]);
  });

  it('keeps responses written side by side apart', async () => {
    const spool = createSpool(await temporaryFolder());
    const keys = Array.from({ length: 20 }, (_, i) => ({
      tenant: `t${i % 3}`,
      jobId: `img_${i >> 1}`,
      attemptNo: 1 + (i % 2),
    }));
    const names = new Map(keys.map((k) => [JSON.stringify(k), k]));
    await Promise.all([...names].map(([name, k]) => spool.write(k, headWithoutId, bodyOf(name))));
    for (const [name, k] of names) expect((await readSpooled(spool, k))?.bytes.toString()).toBe(name);
    expect(new Set((await entriesOf(spool)).map((entry) => JSON.stringify(entry.key)))).toEqual(
      new Set(names.keys()),
    );
  });

  it('creates files that only their owner can read', async () => {
    const folder = join(await temporaryFolder(), 'private');
    await createSpool(folder).write(spoolKey, spoolHead, bodyOf('x'));
    expect((await stat(folder)).mode & 0o077).toBe(0);
    const [name] = await readdir(folder);
    expect((await stat(join(folder, name ?? ''))).mode & 0o077).toBe(0);
  });
});

describe('the fill level of the spool', () => {
  it('reports that it is full from the limit on, and announces each change once', async () => {
    let nowMs = 0;
    const changes: boolean[] = [];
    const spool = createSpool(await temporaryFolder(), {
      fullBytes: 1_000,
      clock: () => nowMs,
      onCapacityChange: (hasCapacity) => changes.push(hasCapacity),
    });
    const measure = async () => {
      nowMs += 1_000;
      return [await spool.hasCapacity(), await spool.hasCapacity()];
    };
    expect(await measure()).toEqual([true, true]);
    await spool.write(spoolKey, spoolHead, bodyOf(Buffer.alloc(1_000)));
    expect(await measure()).toEqual([false, false]);
    expect(await measure()).toEqual([false, false]);
    const { usedBytes, fullBytes } = await spool.usage();
    expect(usedBytes).toBeGreaterThanOrEqual(1_000);
    expect(fullBytes).toBe(1_000);
    await spool.remove(spoolKey);
    expect(await measure()).toEqual([true, true]);
    expect(changes).toEqual([false, true]);
    expect(await spool.usage()).toEqual({ usedBytes: 0, fullBytes: 1_000 });
  });

  it('is measured again after the clock was set back', async () => {
    let nowMs = 3_600_000;
    const spool = createSpool(await temporaryFolder(), { fullBytes: 1_000, clock: () => nowMs });
    await spool.write(spoolKey, spoolHead, bodyOf(Buffer.alloc(1_000)));
    expect(await spool.hasCapacity()).toBe(false);
    await spool.remove(spoolKey);
    nowMs = 0;
    expect(await spool.hasCapacity()).toBe(true);
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
    expect(await spool.open(spoolKey)).toEqual({ format: 'unknown', version: 2 });
    expect(await entriesOf(spool)).toEqual([{ key: spoolKey, format: 'unknown', version: 2 }]);
    expect(await readFile(join(folder, file), 'utf8')).toBe(text);
  });

  it('reads a file of its own version with fields that it does not know', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, file), '{"v":1,"provider":"acme-images","later":{"a":1}}\npaid');
    const spool = createSpool(folder);
    const found = await readSpooled(spool, spoolKey);
    expect(found?.head).toEqual({ provider: 'acme-images' });
    expect(found?.bytes.toString()).toBe('paid');
    expect(await entriesOf(spool)).toEqual([{ key: spoolKey, format: 'known', provider: 'acme-images' }]);
  });
});

describe('a spool key', () => {
  it.each([
    { ...spoolKey, tenant: '../..' },
    { ...spoolKey, tenant: '' },
    { ...spoolKey, jobId: 'a/b' },
    { ...spoolKey, jobId: 'a.b' },
    { ...spoolKey, jobId: 'a\u0000' },
    { ...spoolKey, jobId: 'x'.repeat(300) },
    { ...spoolKey, attemptNo: 0 },
    { ...spoolKey, attemptNo: 1.5 },
    { ...spoolKey, attemptNo: Number.NaN },
  ])('never turns the key %j into a path', async (bad) => {
    const folder = await temporaryFolder();
    const spool = createSpool(join(folder, 'spool'));
    for (const run of [
      () => spool.write(bad, spoolHead, bodyOf('x')),
      () => spool.open(bad),
      () => spool.remove(bad),
    ]) {
      expect(await errorOf(run())).toMatchObject({ code: 'internal' });
    }
    expect(await readdir(folder)).toEqual([]);
  });
});
