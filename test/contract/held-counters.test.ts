import { describe, expect, it } from 'vitest';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { dayOf, withHold } from '../../src/domain/job-money.ts';
import { createHeldCounters } from '../../src/outbound/records/held-counters.ts';
import { createCompareHolds } from '../../src/usecases/maintenance/compare-holds.ts';
import { attemptOf, createdAt, idleMeter, queuedJob, silentLog } from '../support/jobs.ts';
import { connectRecords } from '../support/records.ts';

const { store, records, freshTenant, submit } = await connectRecords();
const heldCounters = createHeldCounters(store.redis, store.keys);
const day = dayOf(createdAt);

const jobOf = (tenant: string, keyId = 'key_1'): ImageJob =>
  withHold({ ...queuedJob({ tenant }), keyId, callBounds: { image: 100 } });
const heldOf = async (tenant: string) => {
  const all = Object.entries(await store.redis.hgetall(store.keys.spend(tenant)));
  return Object.fromEntries(all.filter(([field, amount]) => field.endsWith('.held') && amount !== '0'));
};
/** Compares one tenant once. @returns the differences that were repaired. */
async function compare(tenant: string, beforeVersions = async () => {}): Promise<number[]> {
  await store.redis.del(store.keys.comparison(tenant));
  const repaired: number[] = [];
  await createCompareHolds({
    records: {
      tenants: async () => [tenant],
      get: records.get,
      async versionOf(...job) {
        await beforeVersions();
        return records.versionOf(...job);
      },
    },
    heldCounters,
    meter: { ...idleMeter, holdRepaired: (difference) => void repaired.push(difference) },
    log: silentLog,
  })();
  return repaired.toSorted((a, b) => a - b);
}
const right = (held: number) => ({
  [`t.${day}.held`]: `${held}`,
  't.total.held': `${held}`,
  [`key_1.${day}.held`]: `${held}`,
  'key_1.total.held': `${held}`,
});

describe('the comparison of holds with records', () => {
  it('changes nothing if the counters are the sums over unfinished and unsettled jobs', async () => {
    const tenant = freshTenant();
    await submit(jobOf(tenant));
    const job = await submit(jobOf(tenant));
    await records.update(job, (now) => ({
      job: withHold({ ...now, status: 'failed', attempts: [attemptOf({ state: 'uncertain' })] }),
    }));
    expect(await compare(tenant)).toEqual([]);
    expect(await heldOf(tenant)).toEqual(right(200));
  });

  it('rebuilds lost, wrong and leaked counters from the records', async () => {
    const tenant = freshTenant();
    await submit(jobOf(tenant));
    await submit(jobOf(tenant));
    const key = store.keys.spend(tenant);
    await store.redis.hdel(key, `t.${day}.held`, 't.total.held');
    await store.redis.hincrby(key, `key_1.${day}.held`, 55);
    await store.redis.hincrby(key, `key_2.${day - 3}.held`, 7);
    expect(await compare(tenant)).toEqual([-200, -200, 7, 55]);
    expect(await heldOf(tenant)).toEqual(right(200));
    expect(await compare(tenant)).toEqual([]);
  });

  it('leaves the counters of a day whose jobs change meanwhile for a later round', async () => {
    const tenant = freshTenant();
    const job = await submit(jobOf(tenant));
    await store.redis.hincrby(store.keys.spend(tenant), `t.${day}.held`, 9);
    await store.redis.hincrby(store.keys.spend(tenant), 't.total.held', 9);
    const touch = async () => {
      await records.update(job, (now) => ({ job: { ...now, updatedAt: now.updatedAt + 1 } }));
    };
    expect(await compare(tenant, touch)).toEqual([]);
    expect(await compare(tenant)).toEqual([9, 9]);
    expect(await heldOf(tenant)).toEqual(right(100));
  });

  it('repairs a difference once, although every worker compares', async () => {
    const tenant = freshTenant();
    await submit(jobOf(tenant));
    expect(await heldCounters.acquire(tenant)).toBe(true);
    expect(await heldCounters.acquire(tenant)).toBe(false);
    const counter = { day, microUsd: 100 };
    expect(await heldCounters.repair(tenant, { ...counter, microUsd: 99 }, 1)).toBe(false);
    expect(await heldCounters.repair(tenant, counter, 1)).toBe(true);
    expect(await heldCounters.repair(tenant, counter, 1)).toBe(false);
  });
});
