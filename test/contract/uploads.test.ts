import { beforeAll, expect, it } from 'vitest';
import type { Upload } from '../../src/domain/upload.ts';
import { ids } from '../../src/lib/ids.ts';
import { createUploads } from '../../src/outbound/records/uploads.ts';
import { createdAt } from '../support/jobs.ts';
import { connectTestStore, freshTenant } from '../support/store.ts';

let store: Awaited<ReturnType<typeof connectTestStore>>;
beforeAll(async () => {
  store = await connectTestStore();
});

/** Returns the uploads of a new tenant and the unreadable records that they reported. */
function newTenant() {
  const tenant = freshTenant();
  const unreadable: string[] = [];
  const uploads = createUploads(store.redis, store.keys, {
    onUnreadable: ({ kind, id }) => void unreadable.push(`${kind} ${id}`),
  });
  return {
    tenant,
    uploads,
    unreadable,
    /** Creates an upload of 600 bytes. Returns its id, or `null` if it was refused. */
    async create(maxBytes = 1_000): Promise<string | null> {
      const upload: Upload = {
        ...{ version: 1, id: ids.upload(createdAt), tenant, createdAt, expiresAt: createdAt + 60_000 },
        ...{ contentType: 'image/png', width: 8, height: 8, sizeBytes: 600, sha256: '' },
      };
      return (await uploads.create(upload, { maxBytes })) ? upload.id : null;
    },
    /** Replaces the text of a record, as another release may. */
    async overwrite(id: string, text: (record: Record<string, unknown>) => string) {
      const key = store.keys.upload(tenant, id);
      await store.redis.set(key, text(JSON.parse((await store.redis.get(key)) ?? '')));
    },
  };
}

it('refuses an upload above the total size of the tenant and accepts it after a removal', async () => {
  const { tenant, uploads, create } = newTenant();
  const [first, refused] = [await create(), await create()];
  expect([first, refused]).toEqual([expect.any(String), null]);
  expect(await uploads.remove(tenant, first ?? '')).toBe(true);
  expect(await uploads.remove(tenant, first ?? '')).toBe(false);
  expect(await create()).not.toBeNull();
  expect(await create()).toBeNull();
});

it('frees the size of a removed upload that only another release can read', async () => {
  const { tenant, uploads, create, overwrite } = newTenant();
  const id = (await create()) ?? '';
  await overwrite(id, (record) => JSON.stringify({ ...record, width: null }));
  await expect(uploads.get(tenant, id)).rejects.toMatchObject({ code: 'internal' });
  expect(await uploads.remove(tenant, id)).toBe(true);
  expect(await create()).not.toBeNull();
});

it.each(['{"version":1,', '17'])('removes the damaged record %j from every list', async (damaged) => {
  const { tenant, uploads, create, overwrite } = newTenant();
  const id = (await create()) ?? '';
  await overwrite(id, () => damaged);
  expect(await uploads.expired(tenant, createdAt + 60_000, 9)).toEqual([id]);
  expect(await uploads.remove(tenant, id)).toBe(true);
  expect(await uploads.expired(tenant, createdAt + 60_000, 9)).toEqual([]);
  expect(await uploads.list(tenant, { limit: 9 })).toEqual({ uploads: [], nextBeforeId: null });
});

it('skips and reports an unreadable upload in a list', async () => {
  const { tenant, uploads, unreadable, create, overwrite } = newTenant();
  const [foreign, own] = [(await create(9_000)) ?? '', (await create(9_000)) ?? ''];
  await overwrite(foreign, () => '{"version":1,"id":17}');
  const page = await uploads.list(tenant, { limit: 9 });
  expect(page.uploads.map(({ id }) => id)).toEqual([own]);
  expect(unreadable).toEqual([`upload ${foreign}`]);
});
