import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisClient } from '../../../src/lib/redis/redis.ts';
import { createRandom, type Random } from '../../../src/local/studio/drawing/random.ts';
import { queryRedis } from '../../support/redis.ts';
import { type Fleet, keyPrefix } from '../fleet/fleet.ts';
import { createGoodCaller, type GoodCaller } from '../fleet/good-caller.ts';
import type { Stage } from '../scenario.ts';

export const operatorKey = 'key-of-the-operator-for-chaos';
const pauseOfSamplesMs = 2;
const request = { model: 'gpt-image-2', size: '1024x1024' };
/** Faults of the calls of a job. Some of them cost money, and the service cannot know which. */
const faults = [
  ...Array<string>(6).fill(''),
  '[studio:hang-up,times=1]',
  '[studio:hang-up]',
  '[studio:hang-up-mid,times=1]',
  '[studio:error=500,times=1]',
  '[studio:empty]',
  '[studio:moderation]',
  '[studio:rate-limit,times=1]',
];

/** Requests of the keys of one tenant, whose budgets are too small for all of them. */
export interface BudgetRace {
  readonly seed: string;
  readonly tenant: string;
  readonly random: Random;
  /** Caller without a budget of its own, which may settle charges and read usage. */
  readonly admin: GoodCaller;
  readonly callers: readonly GoodCaller[];
  /** Owners of budgets. */
  readonly owners: readonly { readonly name: string; readonly owner: string; readonly limit: number }[];
}

/** Creates a tenant and three keys: one with a budget, one without, one for the administration. */
export async function createBudgetRace(
  { fleet, short }: Stage,
  { seed, tenant }: Pick<BudgetRace, 'seed' | 'tenant'>,
): Promise<BudgetRace> {
  const random = createRandom(`${seed} money`);
  const operator = createGoodCaller(fleet, operatorKey);
  const create = async (fields: object) => {
    const scopes = ['admin', 'images:read', 'images:write'];
    const { status, body } = await operator.call('POST', '/keys', { body: { tenant, scopes, ...fields } });
    if (status !== 201) throw new Error(`creating a key got ${status}: ${body}`);
    const { id, key } = JSON.parse(body.toString()) as { id: string; key: string };
    return { id, caller: createGoodCaller(fleet, key) };
  };
  const { caller: admin } = await create({});
  const body = { ...request, prompt: 'x'.repeat(80) };
  const preview = await admin.call('POST', '/images?dry_run=true', { body });
  const { estimate } = JSON.parse(preview.body.toString()) as { estimate: { high_micro_usd: number } };
  const unit = estimate.high_micro_usd * (short ? 1 : 3);
  const keyLimit = Math.round(unit * random.between(20, 30));
  const tenantLimit = Math.round(keyLimit * random.between(1, 1.2));
  const budgets = [{ window: 'month', limit_micro_usd: tenantLimit }];
  await operator.call('PUT', `/tenants/${tenant}`, { body: { budgets } });
  const free = await create({});
  const capped = await create({ budgets: [{ window: 'total', limit_micro_usd: keyLimit }] });
  return {
    ...{ seed, tenant, random, admin },
    callers: [capped.caller, capped.caller, capped.caller, free.caller],
    owners: [
      { name: 'key', owner: capped.id, limit: keyLimit },
      { name: 'tenant', owner: 't', limit: tenantLimit },
    ],
  };
}

/** Submits half of the requests at once, and the others through 20 callers. Resolves with the statuses of the responses. */
export async function submitAll({ random, callers, tenant }: BudgetRace, count: number): Promise<number[]> {
  const plan = Array.from({ length: count }, (_, no) => ({
    no,
    caller: random.pick(callers),
    pauseMs: no < count / 2 ? 0 : random.whole(0, 400),
    isCanceled: random.chance(0.1),
    body: {
      ...request,
      prompt: `Image ${no} ${random.pick(faults)} [studio:latency=${random.whole(200, 1_500)}]`,
      n: random.whole(1, 2),
      on_uncertain: random.pick(['retry', 'retry', 'fail'] as const),
    },
  }));
  const submit = async ({ no, caller, pauseMs, isCanceled, body }: (typeof plan)[number]) => {
    await sleep(pauseMs);
    const { status, body: text } = await caller.call('POST', '/images', {
      body,
      idempotencyKey: `${tenant}-${no}`,
    });
    if (status < 300 && isCanceled) {
      const { id } = JSON.parse(text.toString()) as { id: string };
      await caller.call('POST', `/images/${id}/cancel`);
    }
    return status;
  };
  const waiting = plan.slice(count / 2);
  const statuses: number[] = [];
  const loop = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) statuses.push(await submit(next));
  };
  const first = Promise.all(plan.slice(0, count / 2).map(submit));
  // All are awaited together, so that a caller without a response is a finding and does not end this process.
  const [rest] = await Promise.all([first, ...Array.from({ length: 20 }, loop)]);
  return [...statuses, ...rest];
}

/** Held and spent money of each owner of a budget, by tenant and owner. */
export interface UseSamples {
  readonly count: number;
  peakOf(tenant: string, owner: string): number;
}

/** Reads the held and spent money of each owner of a budget without pause, through one connection. */
export function sampleUses({ redis }: Fleet, races: readonly BudgetRace[]) {
  const peaks = new Map<string, number>();
  let count = 0;
  let isOver = false;
  const sample = async (client: RedisClient, { tenant, owners }: BudgetRace) => {
    const fields = owners.flatMap(({ owner }) => [`${owner}.total.held`, `${owner}.total.spent`]);
    const values = await client.hmget(`${keyPrefix}:{${tenant}}:spend`, ...fields);
    for (const [at, { owner }] of owners.entries()) {
      const use = Number(values[2 * at] ?? 0) + Number(values[2 * at + 1] ?? 0);
      const name = `${tenant} ${owner}`;
      peaks.set(name, Math.max(use, peaks.get(name) ?? 0));
    }
  };
  const run = queryRedis(redis.url, async (client) => {
    for (; !isOver; await sleep(pauseOfSamplesMs)) {
      await Promise.all(races.map((race) => sample(client, race)));
      count += 1;
    }
  });
  return {
    async stop(): Promise<UseSamples> {
      isOver = true;
      await run;
      return { count, peakOf: (tenant, owner) => peaks.get(`${tenant} ${owner}`) ?? 0 };
    },
  };
}
