import { describe, expect, it } from 'vitest';
import { windowNamesAt } from '../../src/domain/budget-window.ts';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { withHold } from '../../src/domain/job-money.ts';
import { createHeldCounters } from '../../src/outbound/records/held-counters.ts';
import { createCompareHolds } from '../../src/usecases/maintenance/compare-holds.ts';
import { attemptOf, createdAt, finishedJob, idleMeter, queuedJob, silentLog } from '../support/jobs.ts';
import { connectRecords } from '../support/records.ts';

const { store, records, freshTenant, submit } = await connectRecords();
const heldCounters = createHeldCounters(store.redis, store.keys);
const names = windowNamesAt(createdAt);
const [day] = names;
const dayMs = 86_400_000;

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
    clock: () => createdAt,
    meter: { ...idleMeter, holdRepaired: (difference) => void repaired.push(difference) },
    log: silentLog,
  })();
  return repaired.toSorted((a, b) => a - b);
}
const right = (held: number) =>
  Object.fromEntries(
    ['t', 'key_1'].flatMap((owner) => names.map((name) => [`${owner}.${name}.held`, `${held}`])),
  );

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

  it('leaves the counters alone that a newer release has for further owners and windows', async () => {
    const tenant = freshTenant();
    await submit(jobOf(tenant));
    const newer = { [`team_1.${day}.held`]: '70', 't.h499032.held': '71', [`t.${day}.flex.held`]: '72' };
    await store.redis.hset(store.keys.spend(tenant), newer);
    expect(await compare(tenant)).toEqual([]);
    expect(await heldOf(tenant)).toEqual({ ...right(100), ...newer });
  });

  it('rebuilds lost, wrong and leaked counters from the records', async () => {
    const tenant = freshTenant();
    await submit(jobOf(tenant));
    await submit(jobOf(tenant));
    const key = store.keys.spend(tenant);
    await store.redis.hdel(key, `t.${day}.held`, 't.total.held');
    await store.redis.hincrby(key, `key_1.${day}.held`, 55);
    await store.redis.hincrby(key, 'key_1.total.held', -3);
    await store.redis.hincrby(key, `key_2.${windowNamesAt(createdAt - 3 * dayMs)[0]}.held`, 7);
    await store.redis.hincrby(key, `key_2.${names[2]}.held`, 8);
    expect(await compare(tenant)).toEqual([-200, -200, -3, 7, 8, 55]);
    expect(await heldOf(tenant)).toEqual(right(200));
    expect(await compare(tenant)).toEqual([]);
  });

  it('leaves the counters of a day whose jobs change meanwhile for a later round', async () => {
    const tenant = freshTenant();
    const job = await submit(jobOf(tenant));
    for (const name of names) await store.redis.hincrby(store.keys.spend(tenant), `t.${name}.held`, 9);
    const touch = async () => {
      await records.update(job, (now) => ({ job: { ...now, updatedAt: now.updatedAt + 1 } }));
    };
    expect(await compare(tenant, touch)).toEqual([]);
    expect(await compare(tenant)).toEqual([9, 9, 9, 9]);
    expect(await heldOf(tenant)).toEqual(right(100));
  });

  it('repairs a difference once, although every worker compares', async () => {
    const tenant = freshTenant();
    await submit(jobOf(tenant));
    expect(await heldCounters.acquire(tenant)).toBe(true);
    expect(await heldCounters.acquire(tenant)).toBe(false);
    const counter = { windowName: day, microUsd: 100 };
    expect(await heldCounters.repair(tenant, { ...counter, microUsd: 99 }, 1)).toBe(false);
    expect(await heldCounters.repair(tenant, counter, 1)).toBe(true);
    expect(await heldCounters.repair(tenant, counter, 1)).toBe(false);
  });
});

describe('the counters of old windows', () => {
  const old = createdAt - 200 * dayMs;
  const fieldsOf = async (tenant: string) => (await store.redis.hkeys(store.keys.spend(tenant))).toSorted();

  it('are removed with a comparison once a day, except totals and windows that budgets may read', async () => {
    const tenant = freshTenant();
    for (const at of [old, createdAt - 30 * dayMs, createdAt]) {
      const job = await submit({ ...jobOf(tenant), createdAt: at });
      await records.update(job, (now) => ({ job: withHold(finishedJob(now)) }));
    }
    const names = ['t', 'key_1'].flatMap((owner) =>
      [...windowNamesAt(createdAt), ...windowNamesAt(createdAt - 30 * dayMs)]
        .filter((name, i) => !(i > 3 && name.startsWith('w')))
        .flatMap((name) => [`${owner}.${name}.held`, `${owner}.${name}.spent`]),
    );
    expect(await compare(tenant)).toEqual([]);
    expect(await fieldsOf(tenant)).toEqual([...new Set(names)].toSorted());
    expect(await heldCounters.removeOld(tenant, createdAt + 400 * dayMs)).toBe(0);
  });

  it('stay while a job of theirs holds money, so that its settlement reduces the right hold', async () => {
    const tenant = freshTenant();
    const job = await submit({ ...jobOf(tenant), createdAt: old });
    expect(await heldCounters.removeOld(tenant, createdAt)).toBe(0);
    await records.update(job, (now) => ({ job: withHold(finishedJob(now)) }));
    await store.redis.del(store.keys.oldSpending(tenant));
    expect(await heldCounters.removeOld(tenant, createdAt)).toBe(6);
    expect(await fieldsOf(tenant)).toEqual([
      'key_1.total.held',
      'key_1.total.spent',
      't.total.held',
      't.total.spent',
    ]);
  });

  it('are all found in a hash of many pages', async () => {
    const tenant = freshTenant();
    const fields = Array.from({ length: 3_000 }, (_, i) => [`key_${i}.${windowNamesAt(old)[0]}.spent`, 1]);
    await store.redis.hset(store.keys.spend(tenant), ...fields.flat(), 'key_1.level.hd', 'd1 50');
    expect(await heldCounters.removeOld(tenant, createdAt)).toBe(3_000);
    expect(await fieldsOf(tenant)).toEqual(['key_1.level.hd']);
  });
});
