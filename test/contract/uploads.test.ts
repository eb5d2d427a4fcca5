import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InputDrafts, Uploads } from '../../src/domain/ports.ts';
import type { Upload } from '../../src/domain/upload.ts';
import { ids } from '../../src/lib/ids.ts';
import { createProducerRedis, type RedisClient, whenRedisReady } from '../../src/lib/redis/redis.ts';
import { createKeys, type Keys } from '../../src/outbound/records/keys.ts';
import { createInputDrafts, createUploads } from '../../src/outbound/records/uploads.ts';
import { createdAt } from '../support/jobs.ts';
import { startSmallCluster } from '../support/redis-cluster.ts';
import { connectTestStore, freshTenant } from '../support/store.ts';

const shared = await connectTestStore();
const keys = createKeys('uploads');
const ttlMs = 60_000;
const sizeBytes = 600;

interface Adapter {
  readonly name: string;
  connect(): Promise<{ redis: RedisClient; keys: Keys; close(): Promise<void> }>;
}

const adapters: readonly Adapter[] = [
  { name: 'one Redis', connect: async () => ({ ...shared, close: async () => {} }) },
  {
    name: 'a Redis Cluster',
    async connect() {
      const node = await startSmallCluster();
      const address = `redis://${node.host}:${node.port}`;
      const redis = createProducerRedis(address, { cluster: true, onError: () => undefined });
      await whenRedisReady(redis, 10_000);
      return {
        redis,
        keys,
        async close() {
          redis.disconnect();
          await node.stop();
        },
      };
    },
  },
];

describe.each(adapters)('uploads in $name', ({ connect }) => {
  let store: Awaited<ReturnType<Adapter['connect']>>;
  beforeAll(async () => {
    store = await connect();
  });
  afterAll(() => store.close());

  /** Returns the uploads of a new tenant and the unreadable records that they reported. */
  function newTenant() {
    const tenant = freshTenant();
    const unreadable: string[] = [];
    const uploads: Uploads = createUploads(store.redis, store.keys, {
      onUnreadable: ({ kind, id }) => void unreadable.push(`${kind} ${id}`),
    });
    const drafts: InputDrafts = createInputDrafts(store.redis, store.keys);
    const uploadOf = (fields: Partial<Upload> = {}): Upload => ({
      ...{ version: 1, id: ids.upload(createdAt), tenant, createdAt, expiresAt: createdAt + ttlMs },
      ...{ contentType: 'image/png', width: 8, height: 8, sizeBytes, sha256: '' },
      ...fields,
    });
    return {
      tenant,
      uploads,
      drafts,
      unreadable,
      uploadOf,
      /** Creates an upload. Returns its id, or `null` if it was refused. */
      async create(maxBytes = 1_000, fields: Partial<Upload> = {}): Promise<string | null> {
        const upload = uploadOf(fields);
        return (await uploads.create(upload, { maxBytes, maxCount: 1_000 })) ? upload.id : null;
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

  it('accepts no more than the total size of the tenant from 50 uploads at the same time', async () => {
    const { tenant, uploads, create } = newTenant();
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => create(7 * sizeBytes + 1)));
    const accepted = outcomes.filter((id) => id !== null);
    expect(accepted).toHaveLength(7);
    expect((await uploads.list(tenant, { limit: 50 })).uploads).toHaveLength(7);
  });

  it('refuses an upload above the number of the tenant and accepts it after a removal', async () => {
    const { tenant, uploads, uploadOf } = newTenant();
    const limits = { maxBytes: 1e9, maxCount: 1 };
    const [first, second] = [uploadOf(), uploadOf()];
    expect(await uploads.create(first, limits)).toBe(true);
    expect(await uploads.create(second, limits)).toBe(false);
    await uploads.remove(tenant, first.id);
    expect(await uploads.create(second, limits)).toBe(true);
  });

  it('frees the size of an upload once, however many removals race', async () => {
    const { tenant, uploads, create } = newTenant();
    const [first, second] = [await create(2 * sizeBytes), await create(2 * sizeBytes)];
    const removed = await Promise.all(Array.from({ length: 20 }, () => uploads.remove(tenant, first ?? '')));
    expect(removed.filter(Boolean)).toHaveLength(1);
    expect([await create(2 * sizeBytes), await create(2 * sizeBytes)]).toEqual([expect.any(String), null]);
    expect(await uploads.get(tenant, second ?? '')).not.toBeNull();
  });

  it('counts an upload once if its creation is repeated after a lost response', async () => {
    const { uploads, uploadOf, create } = newTenant();
    const upload = uploadOf();
    for (let tries = 0; tries < 3; tries += 1)
      expect(await uploads.create(upload, { maxBytes: 2 * sizeBytes, maxCount: 1_000 })).toBe(true);
    expect([await create(2 * sizeBytes), await create(2 * sizeBytes)]).toEqual([expect.any(String), null]);
  });

  it('lists expired uploads, longest expired first, until they are removed', async () => {
    const { tenant, uploads, create } = newTenant();
    const later = (ms: number) => create(9_000, { expiresAt: createdAt + ms });
    const [third, first, second] = [await later(300), await later(100), await later(200)];
    expect(await uploads.expired(tenant, createdAt + 99, 9)).toEqual([]);
    expect(await uploads.expired(tenant, createdAt + 200, 9)).toEqual([first, second]);
    expect(await uploads.expired(tenant, createdAt + 900, 1)).toEqual([first]);
    await uploads.remove(tenant, first ?? '');
    expect(await uploads.expired(tenant, createdAt + 900, 9)).toEqual([second, third]);
  });

  it('pages through the uploads of one tenant, newest first, and never returns those of another', async () => {
    const [own, other] = [newTenant(), newTenant()];
    const created: string[] = [];
    for (let i = 0; i < 5; i += 1)
      created.unshift((await own.create(9_000, { id: ids.upload(createdAt + i) })) ?? '');
    const foreign = (await other.create()) ?? '';
    const listed: string[] = [];
    for (let beforeId: string | undefined; ; ) {
      const page = await own.uploads.list(own.tenant, { limit: 2, beforeId });
      listed.push(...page.uploads.map(({ id }) => id));
      if (page.nextBeforeId === null) break;
      beforeId = page.nextBeforeId;
    }
    expect(listed).toEqual(created);
    expect(await own.uploads.get(own.tenant, foreign)).toBeNull();
    expect(await own.uploads.remove(own.tenant, foreign)).toBe(false);
    expect(await other.uploads.get(other.tenant, foreign)).toMatchObject({ id: foreign });
  });

  it('gives a tenant its own total size', async () => {
    const [own, other] = [newTenant(), newTenant()];
    expect([await own.create(), await own.create(), await other.create()]).toEqual([
      expect.any(String),
      null,
      expect.any(String),
    ]);
  });

  it('ends the draft of an upload when its record is written', async () => {
    const { tenant, uploads, drafts, uploadOf } = newTenant();
    const [written, abandoned] = [uploadOf(), uploadOf()];
    for (const { id } of [written, abandoned]) await drafts.add(tenant, id, createdAt);
    await uploads.create(written, { maxBytes: 9_000, maxCount: 1_000 });
    expect(await drafts.listOlder(tenant, createdAt + 1, 9)).toEqual([abandoned.id]);
    expect(await store.redis.sismember(store.keys.tenants, tenant)).toBe(1);
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
    expect(await uploads.expired(tenant, createdAt + ttlMs, 9)).toEqual([id]);
    expect(await uploads.remove(tenant, id)).toBe(true);
    expect(await uploads.expired(tenant, createdAt + ttlMs, 9)).toEqual([]);
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
});
