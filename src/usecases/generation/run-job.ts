import { billingOf } from '../../domain/attempt.ts';
import { finishEnhancement } from '../../domain/enhancement.ts';
import { AppError } from '../../domain/errors.ts';
import {
  type ImageJob,
  isChangeable,
  isEnhancement,
  isTerminal,
  jobError,
  missingImages,
  type Retention,
} from '../../domain/image-job.ts';
import { endCrashedRun, hasCrashedTooOften, loseOpenCalls } from '../../domain/job-crashes.ts';
import { hasWaitedTooLong } from '../../domain/job-deadlines.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import { beginRun, expire, finish, finishIncomplete, releaseRun } from '../../domain/job-moves.ts';
import type {
  Clock,
  JobStore,
  Log,
  Meter,
  StopReason,
  TaskResult,
  TaskSubject,
  WorkerRuns,
} from '../../domain/ports.ts';
import type { CancelProviderCalls } from '../jobs/cancel-provider-calls.ts';
import type { UpdateJob } from '../jobs/update-job.ts';
import type { ExpandPrompt } from './expand-prompt.ts';
import type { GenerateImage } from './generate-image.ts';
import { createJobRun, type JobRun } from './job-run.ts';
import type { ResolveInputs } from './resolve-inputs.ts';
import type { ImageOutcome } from './retry-decision.ts';
import { watchRun } from './watch-run.ts';

interface Deps {
  records: Pick<JobStore, 'get'>;
  workerRuns: WorkerRuns;
  updateJob: UpdateJob;
  updateWithinBudgets: UpdateJob;
  cancelProviderCalls: CancelProviderCalls;
  resolveInputs: ResolveInputs;
  expandPrompt: ExpandPrompt;
  generateImage: GenerateImage;
  /** Resolves after the time, or at once if the signal aborts. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  clock: Clock;
  meter: Meter;
  log: Log;
  retentionOf: (job: ImageJob) => Retention;
}

/** Images of one job that are generated at the same time. */
const maxConcurrentImages = 4;

/**
 * Runs a job: expands the prompt, generates every missing image, ends the record. May be called again for the same job at
 * any time and by any process: the fencing token lets only the latest run write, and a stored image is never generated
 * again.
 */
export function createRunJob(deps: Deps) {
  async function runOnce(task: TaskSubject, stop: AbortSignal): Promise<TaskResult> {
    const job = await begin(deps, task);
    if (!job) return { done: true };
    const watch = watchRun(job, deps);
    const signal = AbortSignal.any([stop, watch.signal]);
    const jobRun = createJobRun(job, deps, { stop: signal, sleep: deps.sleep });
    try {
      deps.log.debug(logFieldsOf(job), 'job run started');
      const result = await run(deps, jobRun);
      if ('againInMs' in result) {
        deps.log.info({ ...logFieldsOf(job), again_in_ms: result.againInMs }, 'job returned to the queue');
      }
      return result;
    } catch (error) {
      // The job has ended, was erased or belongs to another worker.
      if (error instanceof AppError && error.code === 'already_terminal') return { done: true };
      // A fault of the program or of a dependency is no crash of a worker and must not count as one.
      await jobRun.update((current) => releaseRun(current, deps.clock())).catch(() => {});
      throw error;
    } finally {
      watch.stop();
    }
  }

  return async (task: TaskSubject, stop: AbortSignal): Promise<TaskResult> => {
    try {
      return await runOnce(task, stop);
    } finally {
      await deps.workerRuns.end(task);
    }
  };
}

/** A process that is gone, and the number of runs that ended with it. */
interface LostWorker {
  readonly worker: string;
  readonly endedRuns: number;
}

/** Begins a run. Returns `null` if there is nothing to run; a job that must not run any more is ended. */
async function begin(deps: Deps, task: TaskSubject): Promise<ImageJob | null> {
  const nowMs = deps.clock();
  const { workerRuns } = deps;
  let wasOver = false;
  /** The process of an earlier run that did not release the job. */
  let gone: string | undefined;
  const acquire = (lost?: LostWorker) => (known: ImageJob) => {
    gone = undefined;
    wasOver = isTerminal(known.status);
    // A newer release runs the jobs that only it can read.
    if (wasOver || !known.request || !isChangeable(known)) return null;
    gone = known.leaseWorker;
    if (gone !== undefined && gone !== lost?.worker) return null;
    const job = endCrashedRun(known, lost?.endedRuns ?? 1);
    const retention = deps.retentionOf(job);
    const attempts = loseOpenCalls(job.attempts, nowMs);
    if (job.cancelRequestedAt !== undefined)
      return finish({ ...job, attempts }, 'canceled', { nowMs, retention });
    if (hasCrashedTooOften(job)) {
      const error = jobError('worker_lost', billingOf(job.attempts));
      return finishIncomplete({ ...job, attempts }, { nowMs, retention, error });
    }
    if (hasWaitedTooLong(job, nowMs)) return expire(job, { nowMs, retention });
    return beginRun(job, nowMs, workerRuns.worker);
  };
  // The run is registered before it starts, because the job may crash this process at once.
  let [begun] = await Promise.all([deps.updateJob(task, acquire()), workerRuns.begin(task)]);
  for (let lost: LostWorker | undefined; gone !== undefined && gone !== lost?.worker; ) {
    // A process that lost only its lock has not crashed.
    const endedRuns = gone === workerRuns.worker ? 0 : await workerRuns.endedWith(gone, task);
    lost = { worker: gone, endedRuns };
    begun = await deps.updateJob(task, acquire(lost));
  }
  // The process that ended the job may have had no provider to cancel the calls.
  if (begun && wasOver) await deps.cancelProviderCalls(begun);
  if (!begun?.request || !isChangeable(begun) || isTerminal(begun.status)) return null;
  if (begun.fence === 1) deps.meter.stageDone('queued', (nowMs - begun.createdAt) / 1000);
  return begun;
}

async function run(deps: Deps, jobRun: JobRun): Promise<TaskResult> {
  if (jobRun.signal.aborted) return stopped(deps, jobRun, []);
  const outcomes = await generate(deps, jobRun);
  // The write of the last image has ended the job.
  if (isTerminal(jobRun.job.status)) return { done: true };
  if (jobRun.signal.aborted) return stopped(deps, jobRun, outcomes);
  const waits = outcomes.filter((outcome) => outcome.kind === 'wait');
  if (waits.length > 0) return release(deps, jobRun, { outcomes, waits });
  await end(deps, jobRun, outcomes);
  return { done: true };
}

/** Resolves the inputs and the prompt, then generates the missing images. Each step may end or delay the job. */
async function generate(deps: Deps, jobRun: JobRun): Promise<ImageOutcome[]> {
  const unresolved = await deps.resolveInputs(jobRun);
  if (unresolved) return [unresolved];
  const expanded = await deps.expandPrompt(jobRun);
  return 'outcome' in expanded ? [expanded.outcome] : generateMissing(deps, jobRun, expanded.prompt);
}

/** Releases a job whose images have to wait. */
async function release(
  deps: Deps,
  jobRun: JobRun,
  { outcomes, waits }: { outcomes: ImageOutcome[]; waits: Extract<ImageOutcome, { kind: 'wait' }>[] },
): Promise<TaskResult> {
  const againInMs = Math.max(1, Math.min(...waits.map(({ delayMs }) => delayMs)));
  const nowMs = deps.clock();
  // A wait counts as running unless every image waits for something that is not the job's fault.
  const blocked = waits.every((wait) => wait.blocked) ? waits[0]?.blocked : undefined;
  await jobRun.update((job) =>
    releaseRun(withErrors(job, outcomes), nowMs, blocked && { ...blocked, untilMs: nowMs + againInMs }),
  );
  // A job that waits for a blocked scope does not run out of time, so it must not delay the jobs of other scopes.
  return blocked ? { againInMs } : { againInMs, isInterrupted: true };
}

/** Records the errors of images that failed for good, so that the next run leaves them alone. May be repeated. */
function withErrors(job: ImageJob, outcomes: readonly ImageOutcome[]): ImageJob {
  const recorded = new Set(job.errors?.map(({ index }) => index));
  const errors = outcomes.flatMap((outcome) =>
    outcome.kind === 'failed' && !recorded.has(outcome.error.index) ? [outcome.error] : [],
  );
  return errors.length > 0 ? { ...job, errors: [...(job.errors ?? []), ...errors] } : job;
}

async function generateMissing(deps: Deps, jobRun: JobRun, prompt: string): Promise<ImageOutcome[]> {
  const missing = missingImages(jobRun.job);
  const outcomes: ImageOutcome[] = [];
  const generateNext = async () => {
    for (let index = missing.shift(); index !== undefined; index = missing.shift()) {
      outcomes.push(await deps.generateImage(jobRun, index, prompt));
    }
  };
  const loops = Array.from({ length: Math.min(maxConcurrentImages, missing.length) }, generateNext);
  // A call in flight must end before a fault of another image releases the job, because its result would be lost.
  for (const settled of await Promise.allSettled(loops)) {
    if (settled.status === 'rejected') throw settled.reason;
  }
  return outcomes;
}

/** Ends the job of a stopped run, or releases it with the outcomes so far. */
async function stopped(deps: Deps, jobRun: JobRun, outcomes: readonly ImageOutcome[]): Promise<TaskResult> {
  const reason = jobRun.signal.reason as StopReason;
  if (reason === 'draining') {
    await jobRun.update((job) => releaseRun(withErrors(job, outcomes), deps.clock()));
    return { againInMs: 0, isInterrupted: true };
  }
  if (reason === 'lock_lost') return { done: true };
  await jobRun.update((current) => {
    const job = withErrors(current, outcomes);
    const outcome = { nowMs: deps.clock(), retention: deps.retentionOf(job) };
    if (job.cancelRequestedAt !== undefined) return finish(job, 'canceled', outcome);
    const error = jobError('run_timeout', billingOf(job.attempts), job.stage ? { stage: job.stage } : {});
    return finishIncomplete(job, { ...outcome, error });
  });
  return { done: true };
}

/**
 * Ends a job whose images are all stored or failed. It succeeds, partially, if there is at least one image. An enhancement
 * succeeds if there is a description.
 */
async function end(deps: Deps, jobRun: JobRun, outcomes: readonly ImageOutcome[]): Promise<void> {
  await jobRun.update((job) => {
    const next = withErrors(job, outcomes);
    const outcome = { nowMs: deps.clock(), retention: deps.retentionOf(job) };
    if (isEnhancement(job)) return finishEnhancement(next, outcome);
    if (job.cancelRequestedAt !== undefined && job.images.length === 0)
      return finish(next, 'canceled', outcome);
    if (job.images.length > 0) return finish(next, 'succeeded', outcome);
    return finish(next, 'failed', outcome);
  });
}
