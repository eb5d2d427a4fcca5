import { beforeAll, describe, expect, it } from 'vitest';
import type { CircuitBreaker } from '../../src/domain/ports.ts';
import { createCircuitBreaker } from '../../src/outbound/records/circuit-breaker.ts';
import { createdAt } from '../support/jobs.ts';
import { connectTestStore } from '../support/store.ts';

const quota = 'provider_quota_exhausted';
const minute = 60_000;

let store: Awaited<ReturnType<typeof connectTestStore>>;
let scopes = 0;
beforeAll(async () => {
  store = await connectTestStore();
});

const clock = () => createdAt;
/** The gate as another process of the deployment sees it. */
const breakerOfAProcess = (): CircuitBreaker => createCircuitBreaker(store.redis, store.keys, clock);
const freshScope = () => `lane-${++scopes}`;
/** Lets the time of a rest pass, which Redis keeps by its own clock. */
const endRest = (scope: string) => store.redis.del(store.keys.breaker(`${scope}:closed`));
const restOf = async (scope: string) =>
  ((await breakerOfAProcess().findBlock([scope]))?.untilMs ?? createdAt) - createdAt;

describe('a lane that is asked to rest', () => {
  it('is closed for every process until then, and no other lane is', async () => {
    const scope = freshScope();
    const code = 'provider_rate_limited';
    await breakerOfAProcess().close(scope, { untilMs: createdAt + minute, code });
    const other = breakerOfAProcess();
    expect(await other.findBlock([freshScope(), scope])).toEqual({ untilMs: createdAt + minute, code });
    expect(await other.findBlock([freshScope()])).toBeNull();
    expect(await other.failureOf(scope)).toBeNull();
    await endRest(scope);
    expect(await other.findBlock([scope])).toBeNull();
  });
});

describe('a lane that was refused', () => {
  it('rests, and then one call of all processes finds out whether it works again, for which the others wait', async () => {
    const scope = freshScope();
    await breakerOfAProcess().suspect(scope, quota);
    expect(await breakerOfAProcess().findBlock([scope])).toEqual({ untilMs: createdAt + 5_000, code: quota });
    expect(await breakerOfAProcess().failureOf(scope)).toBe(quota);

    await endRest(scope);
    const asked = await Promise.all(Array.from({ length: 10 }, () => breakerOfAProcess().findBlock([scope])));
    expect(asked.filter((response) => response === null)).toHaveLength(1);
    expect(asked.filter((response) => response !== null)).toEqual(
      Array.from({ length: 9 }, () => ({ untilMs: createdAt + 2_000, code: quota, isProbed: true })),
    );
  });

  it('is open for all once that call is served, whichever process made it', async () => {
    const scope = freshScope();
    await breakerOfAProcess().suspect(scope, quota);
    await endRest(scope);
    const prober = breakerOfAProcess();
    expect(await prober.findBlock([scope])).toBeNull();
    await prober.open(scope);
    const responses = await Promise.all([1, 2, 3].map(() => breakerOfAProcess().findBlock([scope])));
    expect(responses).toEqual([null, null, null]);
    expect(await prober.failureOf(scope)).toBeNull();
  });

  it('rests twice as long after each further refusal, five minutes at most', async () => {
    const scope = freshScope();
    const isCoolingDown: number[] = [];
    for (let refusals = 0; refusals < 8; refusals++) {
      await breakerOfAProcess().suspect(scope, quota);
      isCoolingDown.push((await restOf(scope)) / 1000);
    }
    expect(isCoolingDown).toEqual([5, 10, 20, 40, 80, 160, 300, 300]);
  });

  it('keeps its probe for those whom no lane before it keeps back', async () => {
    const [model, account] = [freshScope(), freshScope()];
    await breakerOfAProcess().suspect(account, quota);
    await endRest(account);
    await breakerOfAProcess().close(model, { untilMs: createdAt + minute, code: 'provider_rate_limited' });
    expect(await breakerOfAProcess().findBlock([model, account])).toMatchObject({
      code: 'provider_rate_limited',
    });
    expect(await breakerOfAProcess().findBlock([freshScope(), account])).toBeNull();
  });
});
