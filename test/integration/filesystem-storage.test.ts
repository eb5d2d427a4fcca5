import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFilesystemStorage } from '../../src/outbound/storage/filesystem/filesystem-storage.ts';

const key = 'acme/img_1/0.png';
const signingKey = Buffer.alloc(32, 1);

describe('filesystem storage', () => {
  let base: string;
  let directory: string;
  let storage: ReturnType<typeof createFilesystemStorage>;

  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'darkroom-files-'));
    directory = join(base, 'images');
    storage = createFilesystemStorage({ directory, signingKey });
  });
  afterEach(() => rm(base, { recursive: true }));

  const put = (text = 'image') => storage.put(key, Buffer.from(text), { contentType: 'image/png' });
  const entries = () => readdir(directory, { recursive: true }).then((found) => found.sort());

  it('writes an image as one file and leaves nothing else behind', async () => {
    await put('first');
    await put('second');
    expect(await entries()).toEqual(['acme', 'acme/img_1', key]);
    expect(await readFile(join(directory, key), 'utf8')).toBe('second');
  });

  it('makes images readable for their owner alone', async () => {
    await put();
    const modes = await Promise.all(
      ['', 'acme', 'acme/img_1', key].map(async (path) => (await stat(join(directory, path))).mode & 0o777),
    );
    expect(modes).toEqual([0o700, 0o700, 0o700, 0o600]);
  });

  it('removes the empty folder of a job, but not a folder that holds another image', async () => {
    await put();
    await storage.put('acme/img_1/1.png', Buffer.from('other'), { contentType: 'image/png' });
    await storage.remove(key);
    expect(await entries()).toEqual(['acme', 'acme/img_1', 'acme/img_1/1.png']);
    await storage.remove('acme/img_1/1.png');
    expect(await entries()).toEqual(['acme']);
  });

  it('removes the remains of an interrupted write together with its image, and nothing else', async () => {
    await put();
    const left = join(directory, 'acme/img_1', '.0.png.0b7c.tmp');
    const ofAnother = join(directory, 'acme/img_1', '.1.png.0b7c.tmp');
    await writeFile(left, 'half a pict');
    await writeFile(ofAnother, 'half a pict');
    await storage.remove(key);
    expect(await entries()).toEqual(['acme', 'acme/img_1', 'acme/img_1/.1.png.0b7c.tmp']);
  });

  it('removes the remains of an interrupted write even if the image never existed', async () => {
    await mkdir(join(directory, 'acme/img_1'), { recursive: true });
    await writeFile(join(directory, 'acme/img_1', '.0.png.0b7c.tmp'), 'half a pict');
    expect(await storage.read(key)).toBeNull();
    await storage.remove(key);
    expect(await entries()).toEqual(['acme']);
  });

  it('leaves no temporary file after a failed write', async () => {
    await mkdir(join(directory, key), { recursive: true });
    await expect(put()).rejects.toMatchObject({ code: 'storage_failed' });
    expect(await entries()).toEqual(['acme', 'acme/img_1', key]);
  });

  it('returns the complete old image to a reader while the image is replaced', async () => {
    const old = 'old'.repeat(200_000);
    await put(old);
    const found = await storage.read(key);
    await put('new');
    expect(found?.sizeBytes).toBe(old.length);
    let text = '';
    for await (const chunk of found?.body ?? []) text += String(chunk);
    expect(text).toBe(old);
  });

  it('loses no image that is stored while others of its job are removed', async () => {
    for (let round = 0; round < 60; round++) {
      let stored = false;
      const removeOthers = async () => {
        while (!stored) await storage.remove('acme/img_1/1.png');
      };
      const storing = put(String(round)).finally(() => {
        stored = true;
      });
      await Promise.all([storing, removeOthers(), removeOthers()]);
      expect(await readFile(join(directory, key), 'utf8')).toBe(String(round));
      await storage.remove(key);
    }
  });

  it('copies an image that is removed meanwhile as a whole, or reports that there is none', async () => {
    for (let round = 0; round < 60; round++) {
      const to = `acme/img_2/${round}.png`;
      await put(String(round));
      const copying = storage.copy(key, to, { contentType: 'image/png' });
      const [isCopied] = await Promise.all([copying, storage.remove(key)]);
      const copied = await readFile(join(directory, to), 'utf8').catch(() => null);
      expect(copied).toBe(isCopied ? String(round) : null);
    }
  });

  it('never follows a folder that links out of the storage', async () => {
    const outside = join(base, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, '0.png'), 'secret');
    await mkdir(join(directory, 'acme'), { recursive: true });
    await symlink(outside, join(directory, 'acme/img_1'));

    const refusal = { code: 'storage_failed', message: expect.stringContaining('leads out of the storage') };
    await expect(storage.read(key)).rejects.toMatchObject(refusal);
    await expect(put()).rejects.toMatchObject(refusal);
    await expect(storage.remove(key)).rejects.toMatchObject(refusal);
    expect(await readdir(outside)).toEqual(['0.png']);
    expect(await readFile(join(outside, '0.png'), 'utf8')).toBe('secret');
  });

  it('does not follow an image that is a link, and replaces the link when it stores', async () => {
    const outside = join(base, 'secret');
    await writeFile(outside, 'secret');
    await mkdir(join(directory, 'acme/img_1'), { recursive: true });
    await symlink(outside, join(directory, key));

    await expect(storage.read(key)).rejects.toMatchObject({ code: 'storage_failed' });
    await put();
    expect(await readFile(outside, 'utf8')).toBe('secret');
    expect(await readFile(join(directory, key), 'utf8')).toBe('image');
  });

  it('accepts a link as the storage folder itself', async () => {
    await mkdir(join(base, 'disk'));
    await symlink(join(base, 'disk'), directory);
    await put();
    expect(await readFile(join(base, 'disk', key), 'utf8')).toBe('image');
    expect((await storage.read(key))?.sizeBytes).toBe(5);
  });

  it('creates the folder in its check, leaves nothing behind and touches no tenant', async () => {
    await storage.check();
    await storage.put('probe/img_1/0.png', Buffer.from('x'), { contentType: 'image/png' });
    await storage.check();
    expect(await entries()).toEqual(['probe', 'probe/img_1', 'probe/img_1/0.png']);
  });
});
