import { beforeAll, describe, expect, it } from 'vitest';
import type { CircuitBreaker } from '../../src/domain/ports.ts';
import { createCircuitBreaker } from '../../src/outbound/records/circuit-breaker.ts';
import { createdAt } from '../support/jobs.ts';
import { connectTestStore } from '../support/store.ts';

const quota = 'provider_quota_exhausted';
const rateLimit = 'provider_rate_limited';
const day = 24 * 3_600_000;

let store: Awaited<ReturnType<typeof connectTestStore>>;
let scopes = 0;
beforeAll(async () => {
  store = await connectTestStore();
});

let nowMs = createdAt;
/** Creates the circuit breaker like another process of the deployment does. */
const breakerOfAProcess = (): CircuitBreaker => createCircuitBreaker(store.redis, store.keys, () => nowMs);
const freshScope = () => `openai:scope-${++scopes}`;
const remainingMs = async (scope: string) =>
  ((await breakerOfAProcess().findBlock([scope]))?.untilMs ?? nowMs) - nowMs;

describe('a breaker that is open for a limited time', () => {
  it('blocks the scope of an open breaker for every process until its time is over, and blocks no other scope', async () => {
    const scope = freshScope();
    await breakerOfAProcess().open(scope, { code: rateLimit, forMs: 20_000 });
    const other = breakerOfAProcess();
    expect(await other.findBlock([freshScope(), scope])).toEqual({
      scope,
      untilMs: nowMs + 20_000,
      code: rateLimit,
    });
    expect(await other.findBlock([freshScope()])).toBeNull();
    nowMs += 20_001;
    const admitted = await Promise.all([1, 2, 3].map(() => breakerOfAProcess().findBlock([scope])));
    expect(admitted).toEqual([null, null, null]);
  });

  it('admits a probe after 30 s even if the provider requested a day, and closes the breaker after its success', async () => {
    const scope = freshScope();
    await breakerOfAProcess().open(scope, { code: rateLimit, forMs: day });
    expect(await remainingMs(scope)).toBe(30_000);
    nowMs += 30_000;
    const prober = breakerOfAProcess();
    expect(await prober.findBlock([scope])).toBeNull();
    expect(await breakerOfAProcess().findBlock([scope])).toMatchObject({ isProbed: true });
    await prober.recordSuccess([scope], nowMs);
    expect(await breakerOfAProcess().findBlock([scope])).toBeNull();
  });
});

describe('a breaker that is open until a call is accepted', () => {
  it('admits one probe of all processes after the cooldown while the other callers wait', async () => {
    const scope = freshScope();
    await breakerOfAProcess().open(scope, { code: quota });
    expect(await breakerOfAProcess().findBlock([scope])).toEqual({
      scope,
      untilMs: nowMs + 5_000,
      code: quota,
    });
    nowMs += 5_000;
    const found = await Promise.all(Array.from({ length: 10 }, () => breakerOfAProcess().findBlock([scope])));
    expect(found.filter((block) => block === null)).toHaveLength(1);
    expect(found.filter((block) => block !== null)).toEqual(
      Array.from({ length: 9 }, () => ({ scope, untilMs: nowMs + 2_000, code: quota, isProbed: true })),
    );
  });

  it('closes the breaker for all processes after the probe succeeded, whichever process made the probe', async () => {
    const scope = freshScope();
    await breakerOfAProcess().open(scope, { code: quota });
    nowMs += 5_000;
    const prober = breakerOfAProcess();
    expect(await prober.findBlock([scope])).toBeNull();
    await prober.recordSuccess([scope], nowMs);
    const found = await Promise.all([1, 2, 3].map(() => breakerOfAProcess().findBlock([scope])));
    expect(found).toEqual([null, null, null]);
  });

  it('doubles the cooldown of a breaker with every failure, up to 30 s', async () => {
    const scope = freshScope();
    const cooldowns: number[] = [];
    for (let failures = 0; failures < 6; failures++) {
      await breakerOfAProcess().open(scope, { code: quota });
      cooldowns.push((await remainingMs(scope)) / 1000);
    }
    expect(cooldowns).toEqual([5, 10, 20, 30, 30, 30]);
  });

  it('reserves the probe for a caller that no other scope blocks', async () => {
    const [model, account] = [freshScope(), freshScope()];
    await breakerOfAProcess().open(account, { code: quota });
    nowMs += 5_000;
    await breakerOfAProcess().open(model, { code: rateLimit, forMs: 10_000 });
    expect(await breakerOfAProcess().findBlock([model, account])).toMatchObject({ scope: model });
    expect(await breakerOfAProcess().findBlock([freshScope(), account])).toBeNull();
  });

  it('leaves the breaker open if a call succeeds that had started before the failure', async () => {
    const scope = freshScope();
    const breaker = breakerOfAProcess();
    const startedAtMs = nowMs;
    nowMs += 1_000;
    await breaker.open(scope, { code: quota });
    await breaker.recordSuccess([scope], startedAtMs);
    expect(await breaker.findBlock([scope])).toMatchObject({ code: quota });
  });
});

const reasons = { limited: { code: rateLimit, forMs: 1_000 }, unlimited: { code: quota } } as const;

describe.each(Object.entries<Parameters<CircuitBreaker['open']>[1]>(reasons))(
  'a %s breaker that was opened before the clock was set back by an hour',
  (_, reason) => {
    it('admits a probe at once, and closes after its success', async () => {
      const scope = freshScope();
      nowMs += 3_600_000;
      await breakerOfAProcess().open(scope, reason);
      nowMs -= 3_600_000;
      const prober = breakerOfAProcess();
      const [listed] = (await prober.list()).filter((each) => each.scope === scope);
      expect(listed?.nextProbeAtMs).toBe(nowMs);
      expect(await prober.findBlock([scope])).toBeNull();
      expect(await breakerOfAProcess().findBlock([scope])).toMatchObject({ untilMs: nowMs + 2_000 });
      await prober.recordSuccess([scope], nowMs);
      expect(await breakerOfAProcess().findBlock([scope])).toBeNull();
    });

    it('has the usual cooldown again after its probe has failed', async () => {
      const scope = freshScope();
      nowMs += 3_600_000;
      await breakerOfAProcess().open(scope, reason);
      nowMs -= 3_600_000;
      expect(await breakerOfAProcess().findBlock([scope])).toBeNull();
      await breakerOfAProcess().open(scope, reason);
      expect(await remainingMs(scope)).toBe(reason.forMs ?? 10_000);
    });
  },
);

describe('the list of open breakers', () => {
  it('lists the scope, reason and times of open breakers, and omits closed and expired breakers', async () => {
    const [lasting, brief, closed] = [freshScope(), freshScope(), freshScope()];
    const breaker = breakerOfAProcess();
    await breaker.open(lasting, { code: quota });
    await breaker.open(brief, { code: rateLimit, forMs: 500 });
    await breaker.open(closed, { code: quota });
    expect(await breaker.reset(closed)).toBe(true);
    expect(await breaker.reset(closed)).toBe(false);
    const openedAtMs = nowMs;
    nowMs += 1_000;
    const listed = (await breakerOfAProcess().list()).filter(({ scope }) =>
      [lasting, brief, closed].includes(scope),
    );
    expect(listed).toEqual([
      {
        scope: lasting,
        code: quota,
        openedAtMs,
        nextProbeAtMs: openedAtMs + 5_000,
        untilMs: null,
        failures: 1,
      },
    ]);
  });

  it('lists a breaker whose state a newer release has written with further fields', async () => {
    const scope = freshScope();
    const newer = { code: 'code_of_tomorrow', openedAt: nowMs, failedAt: nowMs, probeAt: nowMs + 1_000 };
    const text = JSON.stringify({ ...newer, until: null, failures: 1, region: 'eu' });
    await store.redis.hset(store.keys.breaker('open'), scope, text);
    expect(await breakerOfAProcess().findBlock([scope])).toMatchObject({ code: 'provider_unreachable' });
  });

  it('removes no state that only another release can read, and preserves newer fields of a state', async () => {
    const [unreadable, wider] = [freshScope(), freshScope()];
    const { redis } = store;
    const open = store.keys.breaker('open');
    const state = { code: quota, openedAt: nowMs, failedAt: nowMs, probeAt: nowMs, until: null, failures: 1 };
    const text = JSON.stringify({ ...state, until: { at: nowMs } });
    await redis.hset(open, { [unreadable]: text, [wider]: JSON.stringify({ ...state, region: 'eu' }) });
    const breaker = breakerOfAProcess();
    await breaker.list();
    expect(await redis.hget(open, unreadable)).toBe(text);
    await breaker.open(wider, { code: quota });
    expect(JSON.parse((await redis.hget(open, wider)) ?? '')).toMatchObject({ failures: 2, region: 'eu' });
  });
});
