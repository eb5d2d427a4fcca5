import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Storage } from './storage-subjects.ts';

/** Defines the tests of the listings of a storage. */
export function testListings(storageOf: () => Storage): void {
  it('lists the keys of one folder and of no other', async () => {
    const storage = storageOf();
    const folder = `acme/ledger-${randomBytes(4).toString('hex')}`;
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
    await expect(storageOf().list(folder)).rejects.toMatchObject({ code: 'storage_failed' });
  });
}
