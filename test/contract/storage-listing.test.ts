import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFilesystem, openS3, type Storage, type StorageSubject } from '../support/storage-subjects.ts';

describe.each([
  { name: 'filesystem', open: openFilesystem },
  { name: 's3', open: openS3 },
])('listings of the image storage: $name', ({ open }) => {
  let subject: StorageSubject;
  let storage: Storage;
  let count = 0;

  beforeAll(async () => {
    subject = await open();
    storage = subject.storage;
  });
  afterAll(async () => {
    await storage.close();
    for (const { storage: other } of subject.broken) await other.close();
    await subject.stop();
  });

  it('lists the keys of one folder and of no other', async () => {
    const folder = `acme/ledger-${++count}`;
    expect(await storage.list(folder)).toEqual([]);
    const keys = ['00-b.gz', '23-a.gz'].map((name) => `${folder}/${name}`);
    for (const key of [...keys, `${folder}0/00-c.gz`, 'acme/img_1/0.png']) {
      await storage.put(key, Buffer.from('lines'), { contentType: 'application/gzip' });
    }
    expect((await storage.list(folder)).toSorted()).toEqual(keys);
    await storage.remove(keys[0] ?? '');
    expect(await storage.list(folder)).toEqual(keys.slice(1));
  });

  it.each(['acme', 'acme/', '../acme', 'acme/ledger/more', ''])('refuses to list %j', async (folder) => {
    await expect(storage.list(folder)).rejects.toMatchObject({ code: 'storage_failed' });
  });
});
