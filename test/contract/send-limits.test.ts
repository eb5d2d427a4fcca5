import { beforeAll, describe, expect, it } from 'vitest';
import type { SendLimits } from '../../src/domain/ports.ts';
import { createSendLimits } from '../../src/outbound/records/webhooks/send-limits.ts';
import { connectTestStore } from '../support/store.ts';

const startMs = 1_764_000_000_000;
const second = 1_000;
const minute = 60_000;

let limits: SendLimits;
let store: Awaited<ReturnType<typeof connectTestStore>>;
beforeAll(async () => {
  store = await connectTestStore();
  limits = createSendLimits(store.redis, store.keys);
});

let tenants = 0;
/** Claims requests of a new tenant. */
function newTenant(perMinute = { perHost: 10, perTenant: 15 }) {
  tenants += 1;
  const tenant = `tenant-${tenants}`;
  return {
    claim: (host: string, wanted: number, atMs: number) =>
      limits.claim({ tenant, host, wanted, nowMs: startMs + atMs, limits: perMinute }),
    record: (host: string, isReachable: boolean, atMs: number) =>
      limits.record(tenant, host, { isReachable, nowMs: startMs + atMs }),
  };
}

describe('the requests of a minute', () => {
  it('grants no more requests to a host in any minute than its limit, and names the time of the next', async () => {
    const { claim } = newTenant();
    expect(await claim('a.example', 7, 0)).toEqual({ granted: 7, isFailing: false });
    expect(await claim('a.example', 7, 9 * second)).toMatchObject({ granted: 3, reason: 'host_limit' });
    const refused = await claim('a.example', 7, 59 * second);
    expect(refused).toMatchObject({ granted: 0, reason: 'host_limit', untilMs: expect.any(Number) });
    expect(refused.untilMs).toBeGreaterThanOrEqual(startMs + minute);
    expect(refused.untilMs).toBeLessThanOrEqual(startMs + minute + 10 * second);
    const untilMs = (refused.untilMs ?? 0) - startMs;
    expect(await claim('a.example', 10, untilMs)).toMatchObject({ granted: 10 });
  });

  it('grants no more requests to all hosts of a tenant than its limit, and does not mix tenants', async () => {
    const [one, other] = [newTenant(), newTenant()];
    await one.claim('a.example', 10, 0);
    expect(await one.claim('b.example', 10, 0)).toMatchObject({ granted: 5, reason: 'tenant_limit' });
    expect(await other.claim('a.example', 10, 0)).toEqual({ granted: 10, isFailing: false });
  });

  it('never exceeds the limit over many claims at random times', async () => {
    const { claim } = newTenant({ perHost: 10, perTenant: 1_000 });
    const sent: number[] = [];
    for (let atMs = 0; atMs < 10 * minute; atMs += 3_700) {
      const { granted } = await claim('a.example', 1 + (atMs % 4), atMs);
      sent.push(...Array<number>(granted).fill(atMs));
    }
    const worst = Math.max(
      ...sent.map((from) => sent.filter((at) => at >= from && at < from + minute).length),
    );
    expect(worst).toBeLessThanOrEqual(10);
    expect(sent.length).toBeGreaterThan(70);
  });

  it('leaves no old counters of a host that gets a request every few minutes', async () => {
    const { claim } = newTenant();
    for (let i = 0; i < 20; i++) await claim('a.example', 1, i * 250 * second);
    const tenant = `tenant-${tenants}`;
    for (const key of [store.keys.sends(tenant), store.keys.sendsTo(tenant, 'a.example')])
      expect(await store.redis.hlen(key)).toBe(1);
  });

  it('leaves no counters of an idle host', async () => {
    const { claim } = newTenant();
    await claim('a.example', 1, 0);
    const tenant = `tenant-${tenants}`;
    const keys = [store.keys.sends(tenant), store.keys.sendsTo(tenant, 'a.example')];
    for (const key of keys) expect(await store.redis.pttl(key)).toBeGreaterThan(minute);
  });
});

describe('the circuit breaker of a host', () => {
  it('opens after ten failures in a row, lets one probe pass after the cooldown, and closes with a response', async () => {
    const { claim, record } = newTenant({ perHost: 1_000, perTenant: 1_000 });
    for (let i = 0; i < 10; i++) await record('a.example', false, i);
    expect(await claim('a.example', 5, second)).toMatchObject({
      granted: 0,
      reason: 'host_unreachable',
      untilMs: startMs + 9 + 15 * second,
    });
    expect(await claim('b.example', 5, second)).toMatchObject({ granted: 5 });
    expect(await claim('a.example', 5, 16 * second)).toMatchObject({ granted: 1, isFailing: true });
    expect(await claim('a.example', 5, 17 * second)).toMatchObject({
      granted: 0,
      reason: 'host_unreachable',
    });
    await record('a.example', true, 18 * second);
    expect(await claim('a.example', 5, 19 * second)).toEqual({ granted: 5, isFailing: false });
  });

  it('doubles the cooldown with every failed probe, and ignores failures that began before it opened', async () => {
    const { claim, record } = newTenant({ perHost: 1_000, perTenant: 1_000 });
    for (let i = 0; i < 40; i++) await record('a.example', false, 0);
    expect((await claim('a.example', 1, second)).untilMs).toBe(startMs + 15 * second);
    await claim('a.example', 1, 16 * second);
    await record('a.example', false, 17 * second);
    expect((await claim('a.example', 1, 18 * second)).untilMs).toBe(startMs + 47 * second);
  });
});
