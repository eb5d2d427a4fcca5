import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { ulid } from '../../src/lib/ids.ts';
import { createProducerRedis, whenRedisReady } from '../../src/lib/redis/redis.ts';
import { createKeys } from '../../src/outbound/records/keys.ts';
import { createRequestLimits } from '../../src/outbound/records/request-limits.ts';
import { startTestRedis } from '../support/redis.ts';

/** Connects the limits of several processes that share a tenant. */
async function connect({
  address = inject('redisPath'),
  processes = 1,
  monotonicMs = () => performance.now(),
} = {}) {
  const redis = createProducerRedis(address, { onError: () => undefined });
  await whenRedisReady(redis, 10_000);
  const keys = createKeys(`test-${ulid(Date.now()).toLowerCase()}`);
  onTestFinished(() => redis.disconnect());
  const limits = Array.from({ length: processes }, () => createRequestLimits(redis, keys, monotonicMs));
  return { redis, keys, limits };
}

const caller = { tenant: 'acme', keyId: 'key_1' };
const ofKey = (limit: number) => ({ owner: 'key', limit }) as const;
const ofTenant = (limit: number) => ({ owner: 'tenant', limit }) as const;

describe('a limit of requests per minute', () => {
  it('lets a full quota pass at once, in four processes together, and refuses the rest', async () => {
    const { limits } = await connect({ processes: 4 });
    const taken = await Promise.all(
      Array.from({ length: 200 }, (_, no) => limits[no % 4]?.take(caller, [ofKey(40)])),
    );
    const passed = taken.filter((each) => each?.refused === undefined);
    // A request becomes possible every 1.5 s.
    expect(passed.length).toBeGreaterThanOrEqual(40);
    expect(passed.length).toBeLessThanOrEqual(44);
    expect(Math.min(...passed.map((each) => each?.quotas[0]?.remaining ?? -1))).toBe(0);
    expect(passed[0]?.quotas).toEqual([
      { owner: 'key', unit: 'requests', limit: 40, remaining: 39, resetSeconds: 2 },
    ]);
  });

  it('counts requests that arrive together in one call of Redis, and states the rest of each', async () => {
    const server = await startTestRedis();
    onTestFinished(server.stop);
    const { limits } = await connect({ address: server.path });
    const taken = await Promise.all(
      Array.from({ length: 45 }, () => limits[0]?.take(caller, [ofKey(40), ofTenant(100)])),
    );
    expect(await server.callsOf('evalsha')).toBeLessThanOrEqual(1);
    const states = taken.map((each) =>
      each?.refused ? 'refused' : each?.quotas.map((quota) => quota.remaining),
    );
    const passed = Array.from({ length: 40 }, (_, no) => [39 - no, 99 - no]);
    expect(states).toEqual([...passed, ...Array(5).fill('refused')]);
    expect(taken[0]?.quotas.map((quota) => quota.resetSeconds)).toEqual([2, 1]);
    expect(taken[38]?.quotas.map((quota) => quota.resetSeconds)).toEqual([59, 24]);
    // Nothing remains of the first limit, whose next request passes after 1.5 s.
    expect(taken[39]?.quotas.map((quota) => quota.resetSeconds)).toEqual([2, 24]);
  });

  it('lets the next request pass after the stated wait, and none before it', async () => {
    const { limits } = await connect({ processes: 2 });
    const take = async (no = 0) => limits[no]?.take(caller, [ofKey(300)]);
    let refused = (await take())?.refused;
    while (refused === undefined) refused = (await take())?.refused;
    const until = performance.now() + refused.waitMs;
    expect(refused.waitMs).toBeLessThanOrEqual(200);
    expect((await take(1))?.refused).toBeDefined();
    await expect.poll(() => performance.now(), { interval: 5 }).toBeGreaterThan(until + 1);
    expect((await take(1))?.refused).toBeUndefined();
  });

  it('states in every refusal how long the caller must still wait', async () => {
    let nowMs = 0;
    const { limits } = await connect({ monotonicMs: () => nowMs });
    const take = () => limits[0]?.take(caller, [ofKey(2), ofTenant(10)]);
    for (let no = 0; no < 3; no += 1) await take();
    nowMs = 20_000;
    const { quotas, refused } = (await take()) ?? {};
    const waitSeconds = Math.ceil((refused?.waitMs ?? 0) / 1000);
    expect(waitSeconds).toBeLessThanOrEqual(10);
    expect(refused?.quota.resetSeconds).toBe(waitSeconds);
    expect(quotas?.map(({ resetSeconds }) => resetSeconds)).toEqual([waitSeconds, 0]);
    nowMs = 60_000;
    // The wait is over for this process, so that Redis decides again.
    expect((await take())?.refused?.waitMs).toBeGreaterThan(10_000);
  });

  it('counts the time of a late reply as part of the wait', async () => {
    let nowMs = 0;
    const { limits } = await connect({ monotonicMs: () => nowMs });
    const take = () => limits[0]?.take(caller, [ofKey(1)]);
    await take();
    const late = take();
    nowMs = 30_000;
    expect((await late)?.refused?.waitMs).toBeGreaterThan(50_000);
    expect((await take())?.refused?.waitMs).toBeLessThanOrEqual(30_000);
  });

  it('counts every request that passes, also among those a few milliseconds too early', async () => {
    const { redis, keys, limits } = await connect();
    const [seconds = 0, micros = 0] = await redis.time();
    const whole = seconds * 1000 + micros / 1000 + 50;
    await redis.set(keys.requestRate(caller.tenant, caller.keyId, 1), whole);
    const take = async () => {
      const taken = await limits[0]?.take(caller, [ofKey(1)]);
      return taken?.refused ? 'refused' : taken?.quotas[0]?.remaining;
    };
    // The only request of the quota passes, so none remains.
    await expect.poll(take, { interval: 5 }).not.toBe('refused');
    expect(await take()).toBe('refused');
  });

  it('counts a request against the key and the tenant, or against none of them', async () => {
    const { limits } = await connect();
    const take = (keyId: string) => limits[0]?.take({ ...caller, keyId }, [ofKey(2), ofTenant(3)]);
    const remaining = async (keyId: string) => (await take(keyId))?.quotas.map((quota) => quota.remaining);
    expect(await remaining('key_1')).toEqual([1, 2]);
    expect(await remaining('key_1')).toEqual([0, 1]);
    const refused = await take('key_1');
    expect(refused?.refused?.quota).toMatchObject({ owner: 'key', limit: 2, remaining: 0 });
    expect(refused?.quotas[1]?.remaining).toBe(1);
    expect(await remaining('key_2')).toEqual([1, 0]);
    expect((await take('key_2'))?.refused?.quota).toMatchObject({ owner: 'tenant', limit: 3 });
    expect((await take('key_3'))?.refused?.quota).toMatchObject({ owner: 'tenant' });
  });

  it('applies a raised limit at once', async () => {
    const { limits } = await connect();
    expect((await limits[0]?.take(caller, [ofKey(1)]))?.refused).toBeUndefined();
    expect((await limits[0]?.take(caller, [ofKey(1)]))?.refused).toBeDefined();
    expect((await limits[0]?.take(caller, [ofKey(100)]))?.refused).toBeUndefined();
  });

  it('refuses a flood without calls of Redis', async () => {
    const server = await startTestRedis();
    onTestFinished(server.stop);
    const { limits } = await connect({ address: server.path });
    for (let no = 0; no < 3; no += 1) await limits[0]?.take(caller, [ofKey(2)]);
    const before = await server.callsOf('evalsha');
    for (let no = 0; no < 1_000; no += 1) {
      expect((await limits[0]?.take(caller, [ofKey(2)]))?.refused).toBeDefined();
    }
    expect((await server.callsOf('evalsha')) - before).toBe(0);
  });

  it('reports an outage of Redis as an outage and never as a limit', async () => {
    const server = await startTestRedis();
    onTestFinished(server.stop);
    const { limits } = await connect({ address: server.path });
    await server.kill9();
    await expect(limits[0]?.take(caller, [ofKey(2)])).rejects.toMatchObject({ code: 'store_unavailable' });
  });
});
