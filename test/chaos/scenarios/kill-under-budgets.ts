import { setTimeout as sleep } from 'node:timers/promises';
import { queryRedis } from '../../support/redis.ts';
import { keyPrefix } from '../fleet/fleet.ts';
import { createGoodCaller, type GoodCaller } from '../fleet/good-caller.ts';
import { countersOf, type MoneyViews, readMoney, settleAsCharged } from '../ledgers/money.ts';
import { type Finding, type Scenario, type Stage, until } from '../scenario.ts';

const operatorKey = 'key-of-the-operator-for-chaos';
const tenant = 'money';
const drainLimitMs = 300_000;
/** Time without a new charge after which the provider is idle, longer than any call. */
const idleMs = 3_000;
/** Time after which all processes are killed even if few charges arrived. */
const firstKillMs = 20_000;
const nextKillMs = 8_000;
const pollMs = 20;
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

/**
 * Kills all processes while requests race for the budgets of a key and of its tenant. The provider charges the dearest
 * quality, so that almost all of each hold is spent.
 */
export const killUnderBudgets: Scenario = {
  name: 'money',
  about: 'kills all processes while requests race for budgets, and compares all views of the money',
  env: { ADMIN_KEY: operatorKey },
  apiCount: 5,
  async run(stage) {
    const race = await createRace(stage);
    const count = stage.short ? 80 : 200;
    const sampling = sampleUses(stage, race);
    const killing = killAll(stage);
    const statuses = await submitAll(stage, race, count);
    await killing;
    await until('every job has ended', drainLimitMs, () => hasEnded(stage));
    const samples = await sampling.stop();
    await untilIdle(stage);
    const settled = await settleAsCharged(stage.fleet, race.admin);
    const views = await readMoney(stage.fleet, race.admin, tenant);
    const of = (...wanted: number[]) => statuses.filter((status) => wanted.includes(status)).length;
    return [
      { figure: 'samples of the counters', found: samples.length },
      ...race.owners.map(({ name, owner, limit }) => {
        const peak = Math.max(0, ...samples.map((sample) => sample.get(owner) ?? 0));
        return limited(`most held and spent by the ${name}`, peak, [`at most ${limit}`, peak <= limit]);
      }),
      { figure: 'requests accepted', found: of(200, 202) },
      limited('requests refused with 402', of(402), ['at least 1', of(402) > 0]),
      limited('other responses', count - of(200, 202, 402), ['0', of(200, 202, 402) === count]),
      { figure: 'jobs settled', found: settled },
      ...compareViews(views),
    ];
  },
};

const limited = (figure: string, found: number, [allowed, ok]: [allowed: string, ok: boolean]): Finding => ({
  figure,
  found,
  allowed,
  ok,
});

function compareViews({ faults: differences, provider, held, possible, ...views }: MoneyViews): Finding[] {
  return [
    { figure: 'charged by the provider', found: provider },
    ...Object.entries(views).map(([view, amount]) =>
      limited(`sum of ${view}`, amount, [String(provider), amount === provider]),
    ),
    limited('held at the end', held, ['0', held === 0]),
    limited('possible in usage at the end', possible, ['0', possible === 0]),
    limited(`jobs of another amount${differences.map((each) => `; ${each}`).join('')}`, differences.length, [
      '0',
      differences.length === 0,
    ]),
  ];
}

interface Race {
  /** Caller without a budget of its own, which may settle charges and read usage. */
  readonly admin: GoodCaller;
  readonly callers: readonly GoodCaller[];
  /** Owners of budgets. */
  readonly owners: readonly { readonly name: string; readonly owner: string; readonly limit: number }[];
}

/** Creates a tenant and three keys: one with a budget, one without, one for the administration. */
async function createRace({ fleet, random, short }: Stage): Promise<Race> {
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
    admin,
    callers: [capped.caller, capped.caller, capped.caller, free.caller],
    owners: [
      { name: 'key', owner: capped.id, limit: keyLimit },
      { name: 'tenant', owner: 't', limit: tenantLimit },
    ],
  };
}

/** Submits half of the requests at once, and the others through 20 callers. Resolves with the statuses of the responses. */
async function submitAll({ random }: Stage, race: Race, count: number): Promise<number[]> {
  const plan = Array.from({ length: count }, (_, no) => ({
    no,
    caller: random.pick(race.callers),
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

/** Kills all processes at once, at a random moment while charges arrive, and restarts them; twice in the long form. */
async function killAll(stage: Stage): Promise<void> {
  const { fleet, random } = stage;
  const after = [random.whole(1, 12), random.whole(2, 14)].slice(0, stage.short ? 1 : 2);
  const delays = after.map(() => ({ killMs: random.whole(0, 400), downMs: random.whole(200, 1_500) }));
  for (const [at, { killMs, downMs }] of delays.entries()) {
    const charges = fleet.provider.charges().length + (after[at] ?? 0);
    const deadlineMs = Date.now() + (at === 0 ? firstKillMs : nextKillMs);
    while (fleet.provider.charges().length < charges && Date.now() < deadlineMs) await sleep(pollMs);
    await sleep(killMs);
    stage.log(`kill of all processes after ${fleet.provider.charges().length} charges`);
    await Promise.all(fleet.members.map((member) => fleet.kill(member)));
    await sleep(downMs);
    await Promise.all(fleet.members.map((member) => member.start()));
  }
}

/** Reads the held and spent money of each owner of a budget without pause. */
function sampleUses({ fleet }: Stage, { owners }: Race) {
  const samples: Map<string, number>[] = [];
  let isOver = false;
  const run = (async () => {
    while (!isOver) {
      const counters = await countersOf(fleet, tenant);
      const useOf = (owner: string) =>
        (counters.get(`${owner}.total.held`) ?? 0) + (counters.get(`${owner}.total.spent`) ?? 0);
      samples.push(new Map(owners.map(({ owner }) => [owner, useOf(owner)])));
      await sleep(2);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await run;
      return samples;
    },
  };
}

const hasEnded = async ({ fleet }: Stage): Promise<boolean> =>
  (await queryRedis(fleet.redis.url, (redis) => redis.zcard(`${keyPrefix}:{${tenant}}:open`))) === 0;

/** Waits until the provider charges nothing more. */
async function untilIdle({ fleet }: Stage): Promise<void> {
  let known = -1;
  for (let now = fleet.provider.charges().length; now !== known; now = fleet.provider.charges().length) {
    known = now;
    await sleep(idleMs);
  }
}
