import { createHash } from 'node:crypto';
import type { ImageJobView } from '../../../src/domain/job-view.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { GoodCaller } from '../fleet/good-caller.ts';
import type { Charge } from '../fleet/provider.ts';
import type { AcceptedJobs } from './accepted-jobs.ts';

/** Result of comparing the three ledgers: callers, provider, jobs. */
export interface Comparison {
  readonly figures: {
    readonly jobs: number;
    readonly images: number;
    /** Charged provider calls. */
    readonly charged: number;
    /** Charged calls without an image. */
    readonly extra: number;
    /** Attempts with a possible charge that were not charged. */
    readonly unpaidUncertain: number;
    /** Runs that ended with a crash of the worker or an error. */
    readonly cutShort: number;
    /** Deliveries of events, including repeated ones. */
    readonly deliveries: number;
  };
  /** Violations of the guarantees. */
  readonly faults: readonly string[];
}

const maxConcurrentReads = 6;
const fruitless = new Set(['uncertain', 'unusable', 'wasted']);

/** Compares the accepted jobs, the charges of the provider and the job records of one scenario. */
export async function compareLedgers(
  fleet: Fleet,
  caller: GoodCaller,
  accepted: AcceptedJobs,
): Promise<Comparison> {
  const faults = [...accepted.contradictions];
  const charges = chargesByJob(fleet);
  const inputs = inputsByJob(accepted);
  const figures = {
    jobs: 0,
    images: 0,
    charged: 0,
    extra: 0,
    unpaidUncertain: 0,
    cutShort: 0,
    deliveries: 0,
  };

  async function compareJob(id: string): Promise<void> {
    const job = await caller.job(id);
    if (!job) return void faults.push(`${id} was accepted and is lost`);
    const paid = charges.get(id) ?? [];
    figures.jobs += 1;
    figures.images += job.images.length;
    figures.charged += paid.length;
    figures.extra += paid.length - job.images.length;
    if (job.status !== 'succeeded')
      faults.push(`${id} ended as ${job.status}: ${job.error?.code ?? 'no error'}`);
    faults.push(...compareMoney(job, paid, fleet.isBackground), ...compareInputs(job, paid, inputs.get(id)));
    if (fleet.work.runsOf(id).length === 0) faults.push(`${id} ended, but no log line names a run of it`);
    const cutShort = fleet.work.runsOf(id).filter((run) => run.end !== 'released').length;
    figures.cutShort += cutShort;
    if (paid.length - job.images.length > cutShort)
      faults.push(`${id} was paid ${paid.length} times but only ${cutShort} of its runs were interrupted`);
    figures.unpaidUncertain += job.attempts.filter(
      (attempt, at) => fruitless.has(attempt.state) && !paid.some((charge) => charge.attemptNo === at + 1),
    ).length;
    faults.push(...(await compareImages(caller, job, paid)), ...compareEvents(fleet, job));
    for (const count of fleet.events.countsOf(id).values()) figures.deliveries += count;
  }

  const ids = [...new Set(accepted.byKey.values())];
  if (ids.length !== accepted.byKey.size) faults.push(`${accepted.byKey.size} keys gave ${ids.length} jobs`);
  faults.push(...(await findUnaccepted(caller, accepted, new Set(ids))));
  const reader = async () => {
    for (let id = ids.shift(); id !== undefined; id = ids.shift()) await compareJob(id);
  };
  await Promise.all(Array.from({ length: maxConcurrentReads }, reader));
  return { figures, faults };
}

function chargesByJob(fleet: Fleet): Map<string, Charge[]> {
  const byJob = new Map<string, Charge[]>();
  for (const charge of fleet.provider.charges()) {
    const known = byJob.get(charge.jobId) ?? [];
    byJob.set(charge.jobId, known);
    known.push(charge);
  }
  return byJob;
}

function inputsByJob({ byKey, inputsByKey }: AcceptedJobs): Map<string, readonly string[]> {
  return new Map([...inputsByKey].map(([key, digests]) => [byKey.get(key) ?? '', digests]));
}

/** Checks that every call of an edit had the bytes that its caller sent. */
function compareInputs(
  job: ImageJobView,
  paid: readonly Charge[],
  digests: readonly string[] = [],
): string[] {
  const expected = digests.join();
  const isEqual = (found: readonly string[]) => found.join() === expected;
  return [
    ...(isEqual(job.inputs.map((input) => ('sha256' in input ? String(input.sha256) : '')))
      ? []
      : [`${job.id} shows other inputs than its caller sent`]),
    ...paid
      .filter((charge) => !isEqual(charge.inputs))
      .map((charge) => `${job.id}: call ${charge.attemptNo} had other inputs than its caller sent`),
  ];
}

/** Checks that every charged call is an attempt of its job, and that every stored attempt was charged. */
function compareMoney(job: ImageJobView, paid: readonly Charge[], isBackground: boolean): string[] {
  const faults: string[] = [];
  for (const charge of paid) {
    const attempt = job.attempts[charge.attemptNo - 1];
    const shown = attempt?.state === 'stored' || fruitless.has(attempt?.state ?? '');
    if (!attempt || !shown)
      faults.push(
        `${job.id}: call ${charge.attemptNo} was charged and is shown as ${attempt?.state ?? 'nothing'}`,
      );
    // In background mode the image arrives with another request than the call.
    else if (!isBackground && (attempt.provider_request_id ?? charge.requestId) !== charge.requestId)
      faults.push(`${job.id}: call ${charge.attemptNo} is shown under another request id`);
  }
  for (const [at, attempt] of job.attempts.entries()) {
    if (attempt.state === 'stored' && !paid.some((charge) => charge.attemptNo === at + 1))
      faults.push(`${job.id}: attempt ${at + 1} is stored and was never charged`);
  }
  const stored = job.attempts.filter((attempt) => attempt.state === 'stored').length;
  if (stored !== job.images.length)
    faults.push(`${job.id} has ${job.images.length} images of ${stored} stored attempts`);
  if (new Set(paid.map((charge) => charge.attemptNo)).size !== paid.length)
    faults.push(`${job.id}: one attempt was charged twice`);
  return faults;
}

/** Checks that every image can be downloaded and has the paid bytes. */
async function compareImages(
  caller: GoodCaller,
  job: ImageJobView,
  paid: readonly Charge[],
): Promise<string[]> {
  const faults: string[] = [];
  for (const image of job.images) {
    const { status, body } = await caller.call('GET', `/images/${job.id}/content/${image.index}`);
    const digest = createHash('sha256').update(body).digest('hex');
    if (status !== 200) faults.push(`${job.id}: image ${image.index} cannot be downloaded (${status})`);
    else if (digest !== image.sha256 || !paid.some((charge) => charge.sha256.includes(digest)))
      faults.push(`${job.id}: image ${image.index} does not have the paid bytes`);
  }
  return faults;
}

/** Checks that the terminal event of a job arrived under one id. */
function compareEvents(fleet: Fleet, job: ImageJobView): string[] {
  const ids = [...fleet.events.countsOf(job.id).keys()];
  return ids.length === 1 ? [] : [`${job.id}: its terminal event arrived under ${ids.length} ids`];
}

/** Finds jobs of the scenario that no caller knows, such as a second job for one submission. */
async function findUnaccepted(
  caller: GoodCaller,
  { mark }: AcceptedJobs,
  known: ReadonlySet<string>,
): Promise<string[]> {
  const faults: string[] = [];
  for (let cursor = ''; ; ) {
    const query = `limit=100&metadata[scenario]=${mark}${cursor && `&cursor=${cursor}`}`;
    const { body } = await caller.call('GET', `/images?${query}`);
    const page = JSON.parse(body.toString()) as { data: { id: string }[]; next_cursor: string | null };
    faults.push(
      ...page.data.filter(({ id }) => !known.has(id)).map(({ id }) => `${id} exists, but no caller knows it`),
    );
    if (page.next_cursor === null) return faults;
    cursor = page.next_cursor;
  }
}
