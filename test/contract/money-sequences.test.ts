import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attemptStates, closeCalls, nextAttemptNo, patchAttempt } from '../../src/domain/attempt.ts';
import { type BudgetCap, capsOf } from '../../src/domain/budget.ts';
import { windowNamesAt } from '../../src/domain/budget-window.ts';
import { AppError } from '../../src/domain/errors.ts';
import { type ImageJob, isTerminal } from '../../src/domain/image-job.ts';
import { erase } from '../../src/domain/job-erasure.ts';
import { isUnsettled, spentOf, withHold } from '../../src/domain/job-money.ts';
import { beginRun, finish } from '../../src/domain/job-moves.ts';
import { settleCharges } from '../../src/domain/job-settlement.ts';
import { createUnarchivedJobs } from '../../src/outbound/records/unarchived-jobs.ts';
import { attemptOf, queuedJob, retention } from '../support/jobs.ts';
import { connectRecords } from '../support/records.ts';

const { store, records, freshTenant } = await connectRecords();
const unarchived = createUnarchivedJobs(store.redis, store.keys);

/** The last and the first second of a day, a week, a month and a year, and of a leap day. */
const times = [
  Date.UTC(2026, 10, 29, 23, 59, 59),
  Date.UTC(2026, 10, 30),
  Date.UTC(2026, 11, 31, 23, 59, 59),
  Date.UTC(2027, 0, 1),
  Date.UTC(2028, 1, 29, 23, 59, 59),
  Date.UTC(2028, 2, 1),
  Date.UTC(2038, 0, 19, 3, 14, 8),
];

interface Step {
  readonly move:
    | 'submit'
    | 'run'
    | 'attempt'
    | 'outcome'
    | 'finish'
    | 'settle'
    | 'erase'
    | 'remove'
    | 'budget';
  /** Selects a job, an attempt or a time. */
  readonly pick: number;
  readonly amount: number;
  readonly state: (typeof attemptStates)[number];
  readonly end: 'succeeded' | 'failed' | 'canceled';
}
/** Calls and their outcomes are frequent, so that jobs get several of them before they end. */
const anyMove: fc.Arbitrary<Step['move']> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('attempt', 'outcome') },
  { weight: 3, arbitrary: fc.constantFrom('submit', 'run', 'settle', 'budget') },
  { weight: 1, arbitrary: fc.constantFrom('finish', 'erase', 'remove') },
);
const anyStep: fc.Arbitrary<Step> = fc.record({
  move: anyMove,
  pick: fc.nat(20),
  amount: fc.oneof(fc.nat(3_000), fc.constantFrom(0, 2_007, 4_014, 10_000_000_000)),
  state: fc.constantFrom(...attemptStates),
  end: fc.constantFrom('succeeded', 'failed', 'canceled'),
});

/** Returns the change of a record by a step; `null` if the step does not apply to it. */
function changeBy({ move, pick, amount, state, end }: Step, job: ImageJob, nowMs: number): ImageJob | null {
  const { attempts } = job;
  const open = attempts.filter(isUnsettled);
  if (move === 'run') return beginRun(job, nowMs);
  if (move === 'attempt' && job.status === 'running') {
    const no = nextAttemptNo(attempts);
    return {
      ...job,
      attempts: [...attempts, attemptOf({ no, index: pick % 2, state: 'calling', startedAt: nowMs })],
    };
  }
  if (move === 'outcome' && open.length > 0) {
    const { no } = open[pick % open.length] ?? attemptOf();
    const next = isTerminal(job.status) && state === 'calling' ? 'wasted' : state;
    const isKnown = next === 'stored' || next === 'unusable' || next === 'wasted';
    return {
      ...job,
      attempts: patchAttempt(attempts, no, {
        state: next,
        ...(isKnown && pick % 3 > 0 ? { costMicroUsd: amount } : {}),
      }),
    };
  }
  if (move === 'finish')
    return finish({ ...job, attempts: closeCalls(attempts, nowMs) }, end, { nowMs, retention });
  if (move === 'settle') {
    const attemptNo = pick % 2 === 0 ? undefined : open[pick % Math.max(1, open.length)]?.no;
    return settleCharges(job, { microUsd: amount, attemptNo }, nowMs);
  }
  if (move === 'erase') return erase(job, nowMs, retention);
  return null;
}

/** Returns the counters of money that follow from records, without those that are 0. */
function expectedFrom(jobs: readonly { job: ImageJob; isRemoved: boolean }[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { job, isRemoved } of jobs) {
    const hold = job.hold ?? 0;
    const spent = spentOf(job) + (isRemoved ? hold : 0);
    for (const owner of ['t', job.keyId]) {
      for (const name of windowNamesAt(job.createdAt)) {
        const add = (field: string, amount: number) => {
          sums[`${owner}.${name}.${field}`] = (sums[`${owner}.${name}.${field}`] ?? 0) + amount;
        };
        add('held', isRemoved ? 0 : hold);
        add('spent', spent);
      }
    }
  }
  return Object.fromEntries(Object.entries(sums).filter(([, amount]) => amount !== 0));
}

async function storedMoney(tenant: string): Promise<Record<string, number>> {
  const all = Object.entries(await store.redis.hgetall(store.keys.spend(tenant)));
  const amounts = all.filter(([field, amount]) => /\.(held|spent)$/.test(field) && amount !== '0');
  return Object.fromEntries(amounts.map(([field, amount]) => [field, Number(amount)]));
}

/** Applies steps to the jobs of one tenant, and compares the counters with the records after each. */
async function play(steps: readonly Step[]): Promise<void> {
  const tenant = freshTenant();
  const jobs: { job: ImageJob; isRemoved: boolean }[] = [];
  let limitMicroUsd = 20_000;
  const capsFor = ({ createdAt, keyId }: ImageJob, nowMs: number): BudgetCap[] => {
    const budgets = (['day', 'week', 'month', 'total'] as const).map((window) => ({
      window,
      limitMicroUsd,
      soft: false,
    }));
    return capsOf({ key: { budgets }, tenant: { budgets } }, keyId, { acceptedAtMs: createdAt, nowMs });
  };
  for (const step of steps) {
    const nowMs = times.at(-1) ?? 0;
    const chosen = jobs[step.pick % Math.max(1, jobs.length)];
    if (step.move === 'budget') limitMicroUsd = step.amount;
    else if (step.move === 'submit') {
      const created = queuedJob({ tenant, nowMs: times[step.pick % times.length] ?? 0, request: { n: 2 } });
      const job = withHold({
        ...created,
        keyId: `key_${step.pick % 2}`,
        usageRow: 1,
        callBounds: { image: 1_000, enhance: 7 },
      });
      const caps = capsFor(job, job.createdAt);
      const { kind } = await records.submit({ job, maxOpenJobs: 1_000, caps });
      if (kind === 'created') jobs.push({ job, isRemoved: false });
      if (kind === 'created')
        for (const held of await sumsOf(tenant, caps)) expect(held).toBeLessThanOrEqual(limitMicroUsd);
    } else if (chosen && !chosen.isRemoved && step.move === 'remove' && isTerminal(chosen.job.status)) {
      await unarchived.markArchived(tenant, [chosen.job]);
      chosen.isRemoved = await records.remove(chosen.job);
    } else if (chosen && !chosen.isRemoved) {
      const options = {
        capsOf: async (job: ImageJob) => capsFor(job, nowMs),
        budgetsOf: async (job: ImageJob) => capsFor(job, nowMs),
      };
      const change = (job: ImageJob) => {
        const next = changeBy(step, job, nowMs);
        return next === null ? null : { job: withHold(next) };
      };
      const refuse = (error: unknown) => {
        expect(error).toBeInstanceOf(AppError);
        return null;
      };
      chosen.job = (await records.update(chosen.job, change, options).catch(refuse)) ?? chosen.job;
    }
    expect(await storedMoney(tenant)).toEqual(expectedFrom(jobs));
  }
  for (const { job, isRemoved } of jobs) if (!isRemoved) await endAndSettle(job);
  const held = Object.keys(await storedMoney(tenant)).filter((field) => field.endsWith('.held'));
  expect(held).toEqual([]);
}

/** Ends a job and settles its charges. */
async function endAndSettle(job: ImageJob): Promise<void> {
  const nowMs = times.at(-1) ?? 0;
  const end = (now: ImageJob) => ({ job: withHold(finish(now, 'failed', { nowMs, retention })) });
  await records.update(job, (now) => (isTerminal(now.status) ? null : end(now)));
  const settle = (now: ImageJob) => settleCharges(now, { microUsd: 12_345 }, nowMs);
  await records.update(job, (now) => {
    const next = now.attempts.some(isUnsettled) ? settle(now) : null;
    return next === null ? null : { job: withHold(next) };
  });
}

async function sumsOf(tenant: string, caps: readonly BudgetCap[]): Promise<number[]> {
  const money = await storedMoney(tenant);
  return caps.map(({ keyId = 't', windowName }) => {
    const name = `${keyId}.${windowName}`;
    return (money[`${name}.held`] ?? 0) + (money[`${name}.spent`] ?? 0);
  });
}

describe('the money counters of every window', () => {
  it('are the sums over the records after each step of any sequence of changes', async () => {
    await fc.assert(fc.asyncProperty(fc.array(anyStep, { minLength: 30, maxLength: 100 }), play), {
      numRuns: 100,
    });
  });
});
