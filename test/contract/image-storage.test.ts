import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkTimes } from '../../src/domain/link-times.ts';
import { testListings } from '../support/storage-listings.ts';
import {
  bytesAt,
  openFilesystem,
  openS3,
  type Storage,
  type StorageSubject,
} from '../support/storage-subjects.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Keys that are not tenant/job/index.ext. */
const invalidKeys = [
  '../../etc/passwd',
  'acme/../../outside.png',
  'acme/img_1/../0.png',
  'acme/../img_1/0.png',
  './img_1/0.png',
  '/etc/img_1/0.png',
  'acme//0.png',
  'acme/img_1/0.png/more.png',
  'acme/img_1/.png',
  'acme/img_1/..png',
  'acme/img_1/0.tar.gz',
  'acme/img_1/0',
  'acme/img_1/0.png\0.txt',
  'acme/img_1/0.png\n',
  'acme\\img_1\\0.png',
  'acme/img_1/%2e%2e.png',
  'acme/img 1/0.png',
  'acmé/img_1/0.png',
  `acme/${'a'.repeat(300)}/0.png`,
  '',
];

describe.each([
  { name: 'filesystem', open: openFilesystem },
  { name: 's3', open: openS3 },
])('image storage: $name', ({ open }) => {
  let subject: StorageSubject;
  let storage: Storage;
  let count = 0;
  const newKey = () => `acme/img_${++count}/0.png`;

  beforeAll(async () => {
    subject = await open();
    storage = subject.storage;
  });
  afterAll(async () => {
    await storage.close();
    for (const { storage: other } of subject.broken) await other.close();
    await subject.stop();
  });

  it('reports whether its links are paths of this service', async () => {
    const link = await storage.link(newKey(), {
      ...linkTimes(Date.now(), 60),
      contentType: 'image/png',
      fileName: 'a.png',
    });
    expect(link.startsWith('/')).toBe(storage.isServedHere);
  });

  it.each([0, 1, 65_536, 3_000_001, 9_000_000])('returns %i stored bytes unchanged', async (sizeBytes) => {
    const bytes = randomBytes(sizeBytes);
    const key = newKey();
    await storage.put(key, bytes, { contentType: 'image/png' });
    expect(sha256(await bytesAt(storage, key))).toBe(sha256(bytes));
  });

  it('stores a view into a larger buffer without the surrounding bytes', async () => {
    const key = newKey();
    await storage.put(key, Buffer.from('around image around').subarray(7, 12), { contentType: 'image/png' });
    expect((await bytesAt(storage, key)).toString()).toBe('image');
  });

  it('replaces the bytes if the same key is stored again', async () => {
    const key = newKey();
    await storage.put(key, Buffer.from('the first, which is longer'), { contentType: 'image/png' });
    await storage.put(key, Buffer.from('the second'), { contentType: 'image/webp' });
    expect((await bytesAt(storage, key)).toString()).toBe('the second');
  });

  it.each([0, 3_000_001])('stores a file of %i bytes unchanged', async (sizeBytes) => {
    const bytes = randomBytes(sizeBytes);
    const path = join(await temporaryFolder(), 'file');
    await writeFile(path, bytes);
    const key = newKey();
    await storage.putFile(key, { path, sizeBytes, sha256: sha256(bytes) }, { contentType: 'image/png' });
    expect(sha256(await bytesAt(storage, key))).toBe(sha256(bytes));
  });

  it('copies an image, which then does not depend on the original', async () => {
    const [from, to] = [newKey(), newKey()];
    await storage.put(from, Buffer.from('copied'), { contentType: 'image/png' });
    expect(await storage.copy(from, to, { contentType: 'image/png' })).toBe(true);
    await storage.remove(from);
    expect((await bytesAt(storage, to)).toString()).toBe('copied');
  });

  it('reports that there is no image to copy', async () => {
    const to = newKey();
    expect(await storage.copy(newKey(), to, { contentType: 'image/png' })).toBe(false);
    expect(await storage.read(to)).toBeNull();
  });

  it('returns null for a missing image', async () => {
    const key = newKey();
    expect(await storage.read(key)).toBeNull();
    await storage.put(key, Buffer.from('x'), { contentType: 'image/png' });
    expect(await storage.read(key.replace('0.png', '1.png'))).toBeNull();
  });

  it('removes one image and accepts its repeated removal', async () => {
    const key = newKey();
    const sibling = key.replace('0.png', '1.png');
    await storage.put(key, Buffer.from('x'), { contentType: 'image/png' });
    await storage.put(sibling, Buffer.from('y'), { contentType: 'image/png' });
    await storage.remove(key);
    await storage.remove(key);
    expect(await storage.read(key)).toBeNull();
    expect((await bytesAt(storage, sibling)).toString()).toBe('y');
    await storage.remove(sibling);
    await storage.remove(newKey());
    expect(await storage.read(sibling)).toBeNull();
  });

  it('serves a link with the content type and file name that were signed into it', async () => {
    const bytes = randomBytes(100_000);
    const key = newKey();
    await storage.put(key, bytes, { contentType: 'application/octet-stream' });
    const link = await storage.link(key, {
      ...linkTimes(Date.now(), 60),
      contentType: 'image/webp',
      fileName: 'my image.webp',
    });
    const fetched = await subject.fetchLink(link);
    expect(fetched).toMatchObject({ contentType: 'image/webp', fileName: 'my image.webp' });
    expect(fetched && sha256(fetched.bytes)).toBe(sha256(bytes));
  });

  it('serves nothing for an altered link', async () => {
    const [mine, other] = [newKey(), newKey()];
    await storage.put(mine, Buffer.from('mine'), { contentType: 'image/png' });
    await storage.put(other, Buffer.from('not mine'), { contentType: 'image/png' });
    const options = { ...linkTimes(Date.now(), 60), contentType: 'image/png', fileName: 'mine.png' };
    const link = await storage.link(mine, options);
    expect((await subject.fetchLink(link))?.bytes.toString()).toBe('mine');
    expect(await subject.fetchLink(link.replace(mine, other))).toBeNull();
    expect(await subject.fetchLink(link.replace('mine.png', 'mine.html'))).toBeNull();
  });

  it('stores 50 concurrent images', async () => {
    const images = Array.from({ length: 50 }, () => ({ key: newKey(), bytes: randomBytes(20_000) }));
    await Promise.all(images.map(({ key, bytes }) => storage.put(key, bytes, { contentType: 'image/png' })));
    const stored = await Promise.all(images.map(({ key }) => bytesAt(storage, key)));
    expect(stored.map(sha256)).toEqual(images.map(({ bytes }) => sha256(bytes)));
  });

  it('ends with one complete image if the same key is stored 50 times concurrently', async () => {
    const key = newKey();
    const images = Array.from({ length: 50 }, () => randomBytes(20_000));
    await Promise.all(images.map((bytes) => storage.put(key, bytes, { contentType: 'image/png' })));
    expect(images.map(sha256)).toContain(sha256(await bytesAt(storage, key)));
  });

  it('loses no image if siblings are stored and removed concurrently', async () => {
    const job = `acme/img_${++count}`;
    const rounds = Array.from({ length: 40 }, (_, index) => index);
    await Promise.all(
      rounds.flatMap((index) => [
        storage.put(`${job}/${index}.png`, Buffer.from(String(index)), { contentType: 'image/png' }),
        storage.remove(`${job}/none-${index}.png`),
      ]),
    );
    const stored = await Promise.all(rounds.map((index) => bytesAt(storage, `${job}/${index}.png`)));
    expect(stored.map(String)).toEqual(rounds.map(String));
  });

  it('releases a body that the caller stops reading', async () => {
    const key = newKey();
    await storage.put(key, randomBytes(5_000_000), { contentType: 'image/png' });
    // The number of bodies exceeds the number of connections.
    for (let i = 0; i < 60; i++) {
      const found = await storage.read(key);
      for await (const chunk of found?.body ?? []) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
    }
    expect((await bytesAt(storage, key)).length).toBe(5_000_000);
  });

  it.each(invalidKeys)('rejects a key that is not tenant/job/index.ext: %j', async (key) => {
    const options = { ...linkTimes(Date.now(), 60), contentType: 'image/png', fileName: 'x.png' };
    const refusal = { code: 'storage_failed', message: expect.stringContaining('is invalid') };
    await expect(storage.put(key, Buffer.from('x'), { contentType: 'image/png' })).rejects.toMatchObject(
      refusal,
    );
    await expect(storage.read(key)).rejects.toMatchObject(refusal);
    await expect(storage.remove(key)).rejects.toMatchObject(refusal);
    await expect(storage.link(key, options)).rejects.toMatchObject(refusal);
  });

  it('passes the check of a working storage at any time', async () => {
    await Promise.all([storage.check(), storage.check(), storage.check()]);
  });

  it('explains in its check why a storage fails and how to repair it', async () => {
    for (const { storage: other, says } of subject.broken) {
      const error = await other.check().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        name: 'AppError',
        code: 'storage_unavailable',
        message: expect.stringMatching(says),
      });
    }
  });

  it('rejects an upload to a failing storage and reports the cause for the log', async () => {
    for (const { storage: other } of subject.broken) {
      const error = await other
        .put(newKey(), Buffer.from('x'), { contentType: 'image/png' })
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: expect.stringMatching(/^storage_(failed|unavailable)$/) });
      expect(error).toHaveProperty('cause', expect.any(Error));
    }
  });

  testListings(() => storage);
});
