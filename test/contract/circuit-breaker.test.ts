import { beforeAll, describe, expect, it } from 'vitest';
import type { ProviderGate } from '../../src/domain/ports.ts';
import { createProviderGate } from '../../src/outbound/records/circuit-breaker.ts';
import { createdAt } from '../support/jobs.ts';
import { connectTestStore } from '../support/store.ts';

const quota = 'provider_quota_exhausted';
const minute = 60_000;

let store: Awaited<ReturnType<typeof connectTestStore>>;
let lanes = 0;
beforeAll(async () => {
  store = await connectTestStore();
});

const clock = () => createdAt;
/** The gate as another process of the deployment sees it. */
const gateOfAProcess = (): ProviderGate => createProviderGate(store.redis, store.keys, clock);
const freshLane = () => `lane-${++lanes}`;
/** Lets the time of a rest pass, which Redis keeps by its own clock. */
const endRest = (lane: string) => store.redis.del(store.keys.gate(`${lane}:closed`));
const restOf = async (lane: string) =>
  ((await gateOfAProcess().closedFor([lane]))?.untilMs ?? createdAt) - createdAt;

describe('a lane that is asked to rest', () => {
  it('is closed for every process until then, and no other lane is', async () => {
    const lane = freshLane();
    const code = 'provider_rate_limited';
    await gateOfAProcess().close(lane, { untilMs: createdAt + minute, code });
    const other = gateOfAProcess();
    expect(await other.closedFor([freshLane(), lane])).toEqual({ untilMs: createdAt + minute, code });
    expect(await other.closedFor([freshLane()])).toBeNull();
    expect(await other.refusalOf(lane)).toBeNull();
    await endRest(lane);
    expect(await other.closedFor([lane])).toBeNull();
  });
});

describe('a lane that was refused', () => {
  it('rests, and then one call of all processes finds out whether it works again, for which the others wait', async () => {
    const lane = freshLane();
    await gateOfAProcess().suspect(lane, quota);
    expect(await gateOfAProcess().closedFor([lane])).toEqual({ untilMs: createdAt + 5_000, code: quota });
    expect(await gateOfAProcess().refusalOf(lane)).toBe(quota);

    await endRest(lane);
    const asked = await Promise.all(Array.from({ length: 10 }, () => gateOfAProcess().closedFor([lane])));
    expect(asked.filter((answer) => answer === null)).toHaveLength(1);
    expect(asked.filter((answer) => answer !== null)).toEqual(
      Array.from({ length: 9 }, () => ({ untilMs: createdAt + 2_000, code: quota, isProbed: true })),
    );
  });

  it('is open for all once that call is served, whichever process made it', async () => {
    const lane = freshLane();
    await gateOfAProcess().suspect(lane, quota);
    await endRest(lane);
    const prober = gateOfAProcess();
    expect(await prober.closedFor([lane])).toBeNull();
    await prober.open(lane);
    const answers = await Promise.all([1, 2, 3].map(() => gateOfAProcess().closedFor([lane])));
    expect(answers).toEqual([null, null, null]);
    expect(await prober.refusalOf(lane)).toBeNull();
  });

  it('rests twice as long after each further refusal, five minutes at most', async () => {
    const lane = freshLane();
    const rests: number[] = [];
    for (let refusals = 0; refusals < 8; refusals++) {
      await gateOfAProcess().suspect(lane, quota);
      rests.push((await restOf(lane)) / 1000);
    }
    expect(rests).toEqual([5, 10, 20, 40, 80, 160, 300, 300]);
  });

  it('keeps its probe for those whom no lane before it keeps back', async () => {
    const [model, account] = [freshLane(), freshLane()];
    await gateOfAProcess().suspect(account, quota);
    await endRest(account);
    await gateOfAProcess().close(model, { untilMs: createdAt + minute, code: 'provider_rate_limited' });
    expect(await gateOfAProcess().closedFor([model, account])).toMatchObject({
      code: 'provider_rate_limited',
    });
    expect(await gateOfAProcess().closedFor([freshLane(), account])).toBeNull();
  });
});
