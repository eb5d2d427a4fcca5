import type { ImageJobView } from '../../../src/domain/job-view.ts';
import type { LedgerLine } from '../../../src/domain/ledger.ts';
import { queryRedis } from '../../support/redis.ts';
import { type Fleet, keyPrefix } from '../fleet/fleet.ts';
import type { GoodCaller } from '../fleet/good-caller.ts';

/** The money of one tenant as five independent views of it show it, in micro-USD. */
export interface MoneyViews {
  /** Charges of the provider for the jobs of the tenant. */
  readonly provider: number;
  /** Sums of the service. `spent` are the counters that budgets are checked against. */
  readonly sums: Readonly<Record<'jobs' | 'ledger' | 'usage' | 'spent', number>>;
  /** Sum of all counters of held money, without their signs. */
  readonly held: number;
  /** Charges that usage still shows as possible. */
  readonly possible: number;
  /** Differences of single jobs. */
  readonly faults: readonly string[];
  readonly jobIds: readonly string[];
}

const read = async (caller: GoodCaller, path: string): Promise<string> => {
  const { status, body } = await caller.call('GET', path);
  if (status !== 200) throw new Error(`GET ${path} got ${status}: ${body.toString().slice(0, 200)}`);
  return body.toString();
};

/** Returns all jobs of the caller's tenant. */
export async function jobsOf(caller: GoodCaller): Promise<ImageJobView[]> {
  const jobs: ImageJobView[] = [];
  for (let cursor = ''; ; ) {
    const page = JSON.parse(await read(caller, `/images?limit=100${cursor && `&cursor=${cursor}`}`)) as {
      data: ImageJobView[];
      next_cursor: string | null;
    };
    jobs.push(...page.data);
    if (page.next_cursor === null) return jobs;
    cursor = page.next_cursor;
  }
}

/** Returns the fields of the hash with all counters of money of a tenant. */
export async function countersOf(fleet: Fleet, tenant: string): Promise<Map<string, number>> {
  const fields = await queryRedis(fleet.redis.url, (redis) =>
    redis.hgetall(`${keyPrefix}:{${tenant}}:spend`),
  );
  return new Map(Object.entries(fields).map(([field, value]) => [field, Number(value)]));
}

/** Returns the amounts that the provider charged, by job and number of the attempt, as `JOB.NO`. */
function chargedByCall(fleet: Fleet): Map<string, number> {
  const byCall = new Map<string, number>();
  for (const { jobId, attemptNo, microUsd } of fleet.provider.charges()) {
    const call = `${jobId}.${attemptNo}`;
    byCall.set(call, (byCall.get(call) ?? 0) + (microUsd ?? Number.NaN));
  }
  return byCall;
}

/** Returns the charges of the provider that belong to none of these jobs, by their call. */
export function findUnknownCharges(fleet: Fleet, jobIds: ReadonlySet<string>): string[] {
  return fleet.provider
    .charges()
    .filter(({ jobId }) => !jobIds.has(jobId))
    .map(({ jobId, attemptNo, requestId }) => `${jobId}.${attemptNo} ${requestId}`);
}

const ledgerOf = async (caller: GoodCaller): Promise<LedgerLine[]> =>
  (await read(caller, '/usage/ledger'))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LedgerLine);

/** Settles every charge whose amount is unknown as the provider charged it. Returns the number of settled jobs. */
export async function settleAsCharged(fleet: Fleet, caller: GoodCaller): Promise<number> {
  const charged = chargedByCall(fleet);
  const amounts = new Map<string, number>();
  // The ledger numbers the calls as the provider knows them. A position among the attempts of a job is no such number,
  // because a job drops its oldest rejected attempts.
  for (const { job_id, attempt, micro_usd } of await ledgerOf(caller)) {
    if (micro_usd !== null) continue;
    amounts.set(job_id, (amounts.get(job_id) ?? 0) + (charged.get(`${job_id}.${attempt}`) ?? 0));
  }
  for (const [id, micro_usd] of amounts) {
    const { status, body } = await caller.call('POST', `/images/${id}/settle`, { body: { micro_usd } });
    if (status !== 200) throw new Error(`settling ${id} got ${status}: ${body.toString().slice(0, 200)}`);
  }
  return amounts.size;
}

/** Reads all views of the money of the caller's tenant. */
export async function readMoney(fleet: Fleet, caller: GoodCaller, tenant: string): Promise<MoneyViews> {
  const jobs = await jobsOf(caller);
  const lines = await ledgerOf(caller);
  const usage = JSON.parse(await read(caller, '/usage')) as {
    data: { micro_usd: number; micro_usd_possible: number; unknown_cost_jobs: number }[];
  };
  const counters = await countersOf(fleet, tenant);
  const paid = paidByJob(fleet);
  return {
    provider: sum(jobs.map(({ id }) => paid.get(id) ?? 0)),
    sums: {
      jobs: sum(jobs.map(({ cost }) => cost.micro_usd ?? Number.NaN)),
      ledger: sum(lines.map(({ micro_usd }) => micro_usd ?? Number.NaN)),
      usage: sum(usage.data.map(({ micro_usd }) => micro_usd)),
      spent: counters.get('t.total.spent') ?? 0,
    },
    held: sum([...counters].map(([field, value]) => (field.endsWith('.held') ? Math.abs(value) : 0))),
    possible: sum(usage.data.map((row) => row.micro_usd_possible + row.unknown_cost_jobs)),
    faults: jobs.flatMap((job) => compareJob(job, paid.get(job.id) ?? 0)),
    jobIds: jobs.map(({ id }) => id),
  };
}

function paidByJob(fleet: Fleet): Map<string, number> {
  const paid = new Map<string, number>();
  for (const { jobId, microUsd } of fleet.provider.charges())
    paid.set(jobId, (paid.get(jobId) ?? 0) + (microUsd ?? Number.NaN));
  return paid;
}

function compareJob({ id, status, cost }: ImageJobView, paid: number): string[] {
  return cost.micro_usd === paid
    ? []
    : [`${id} (${status}) shows ${cost.micro_usd}, the provider charged ${paid}`];
}

const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);
