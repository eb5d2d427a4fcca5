import { billingOf } from '../../domain/attempt.ts';
import { AppError } from '../../domain/errors.ts';
import {
  hasWaitedTooLong,
  type ImageJob,
  isChangeable,
  isTerminal,
  jobError,
  missingImages,
  type Retention,
} from '../../domain/image-job.ts';
import { beginRun, expire, finish, finishIncomplete, releaseRun } from '../../domain/job-moves.ts';
import type { Clock, JobStore, Log, Meter, StopReason, TaskResult, TaskSubject } from '../../domain/ports.ts';
import type { CancelProviderCalls } from '../jobs/cancel-provider-calls.ts';
import type { UpdateJob } from '../jobs/update-job.ts';
import type { ExpandPrompt } from './expand-prompt.ts';
import type { GenerateImage } from './generate-image.ts';
import { createJobRun, type JobRun } from './job-run.ts';
import type { ImageOutcome } from './retry-decision.ts';

interface Deps {
  records: Pick<JobStore, 'get'>;
  change: UpdateJob;
  cancelProviderCalls: CancelProviderCalls;
  expandPrompt: ExpandPrompt;
  generateImage: GenerateImage;
  /** Resolves after the time, or at once when the signal aborts. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  clock: Clock;
  meter: Meter;
  log: Log;
  retentionOf: (job: ImageJob) => Retention;
}

/** Images of one job that are made at the same time. */
const maxConcurrentImages = 4;
/** Deaths of workers that a job survives; a prompt that kills its worker must not do so for ever. */
const maxCrashes = 20;
/** How often a run looks into its record: the message that tells it to stop may be lost, and a call may take minutes. */
const lookAgainMs = 5_000;

/**
 * Runs a job: expand the prompt, make every image that is still missing, end the record. May be called again for the
 * same job at any time and by any process: the record's fence lets only the latest execution write, and what is
 * already stored is never made again.
 */
export function createRunJob(deps: Deps) {
  return async (task: TaskSubject, stop: AbortSignal): Promise<TaskResult> => {
    const job = await begin(deps, task);
    if (!job) return { done: true };
    const deadline = startDeadline(job, deps.clock());
    const watch = watchRecord(deps.records, job);
    const signal = AbortSignal.any([stop, deadline.signal, watch.signal]);
    const jobRun = createJobRun(job, deps.change, signal, deps.sleep);
    try {
      return await run(deps, jobRun);
    } catch (error) {
      // Ended, erased or taken over by another worker meanwhile: there is nothing left to do here.
      if (error instanceof AppError && error.code === 'already_terminal') return { done: true };
      // A fault of ours or of a dependency is not the death of a worker and must not count as one.
      await jobRun.change((current) => releaseRun(current, deps.clock())).catch(() => {});
      throw error;
    } finally {
      deadline.stop();
      watch.stop();
    }
  };
}

/** Takes the job over, or ends it where it must not run any more: then there is nothing to do, and it returns `null`. */
async function begin(deps: Deps, task: TaskSubject): Promise<ImageJob | null> {
  const nowMs = deps.clock();
  let wasOver = false;
  const begun = await deps.change(task.tenant, task.id, (job) => {
    wasOver = isTerminal(job.status);
    // A newer release runs the jobs that only it can read.
    if (wasOver || !job.request || !isChangeable(job)) return null;
    const retention = deps.retentionOf(job);
    if (job.cancelRequestedAt !== undefined) return finish(job, 'canceled', { nowMs, retention });
    if ((job.crashCount ?? 0) >= maxCrashes) {
      const error = jobError('worker_lost', billingOf(job.attempts));
      return finishIncomplete(job, { nowMs, retention, error });
    }
    if (hasWaitedTooLong(job, nowMs)) return expire(job, { nowMs, retention });
    return beginRun(job, nowMs);
  });
  // Whoever ended it may have had no way to stop what it was waiting for.
  if (begun && wasOver) await deps.cancelProviderCalls(begun);
  if (!begun?.request || !isChangeable(begun) || isTerminal(begun.status)) return null;
  if (begun.fence === 1) deps.meter.stageDone('queued', (nowMs - begun.createdAt) / 1000);
  return begun;
}

/** Aborts with `run_timeout` when the job's time is over, however often it was started anew. */
function startDeadline(job: ImageJob, nowMs: number): { signal: AbortSignal; stop: () => void } {
  const runTimeoutMs = (job.request?.run_timeout_s ?? 0) * 1000;
  const leftMs = (job.startedAt ?? nowMs) + runTimeoutMs - nowMs;
  const deadline = new AbortController();
  const end = () => deadline.abort('run_timeout' satisfies StopReason);
  const timer = leftMs > 0 ? setTimeout(end, leftMs) : undefined;
  if (timer) timer.unref();
  else end();
  return { signal: deadline.signal, stop: () => clearTimeout(timer) };
}

/** Aborts when the record says that its run is to stop, should the message be lost: canceled, ended or taken over. */
function watchRecord(
  records: Deps['records'],
  { tenant, id, fence }: ImageJob,
): { signal: AbortSignal; stop: () => void } {
  const unwanted = new AbortController();
  const look = async () => {
    const job = await records.get(tenant, id);
    const isOurs = job?.fence === fence && !isTerminal(job.status);
    if (!isOurs) unwanted.abort('lock_lost' satisfies StopReason);
    else if (job.cancelRequestedAt !== undefined) unwanted.abort('canceled' satisfies StopReason);
  };
  // A store that is away says nothing; it is asked again.
  const timer = setInterval(() => void look().catch(() => {}), lookAgainMs);
  timer.unref();
  return { signal: unwanted.signal, stop: () => clearInterval(timer) };
}

async function run(deps: Deps, jobRun: JobRun): Promise<TaskResult> {
  if (jobRun.signal.aborted) return stopped(deps, jobRun, []);
  const prompt = await deps.expandPrompt(jobRun);
  const outcomes = await makeMissing(deps, jobRun, prompt);
  // The entry of the last image ended it.
  if (isTerminal(jobRun.job.status)) return { done: true };
  if (jobRun.signal.aborted) return stopped(deps, jobRun, outcomes);
  const waits = outcomes.flatMap((outcome) => (outcome.kind === 'wait' ? [outcome.delayMs] : []));
  if (waits.length > 0) {
    await jobRun.change((job) => releaseRun(withErrors(job, outcomes), deps.clock()));
    return { againInMs: Math.max(1, Math.min(...waits)) };
  }
  await end(deps, jobRun, outcomes);
  return { done: true };
}

/** Enters the errors of images that failed for good, so that the next execution leaves them alone. */
function withErrors(job: ImageJob, outcomes: readonly ImageOutcome[]): ImageJob {
  const errors = outcomes.flatMap((outcome) => (outcome.kind === 'failed' ? [outcome.error] : []));
  return errors.length > 0 ? { ...job, errors: [...(job.errors ?? []), ...errors] } : job;
}

async function makeMissing(deps: Deps, jobRun: JobRun, prompt: string): Promise<ImageOutcome[]> {
  const missing = missingImages(jobRun.job);
  const outcomes: ImageOutcome[] = [];
  const runner = async () => {
    for (let index = missing.shift(); index !== undefined; index = missing.shift()) {
      outcomes.push(await deps.generateImage(jobRun, index, prompt));
    }
  };
  const runners = Array.from({ length: Math.min(maxConcurrentImages, missing.length) }, runner);
  // A call that is under way in one lane must end before a fault in another gives the job back: nobody would know of it.
  for (const settled of await Promise.allSettled(runners)) {
    if (settled.status === 'rejected') throw settled.reason;
  }
  return outcomes;
}

/** The execution was told to stop: end the job, or hand it back with what is known so far. */
async function stopped(deps: Deps, jobRun: JobRun, outcomes: readonly ImageOutcome[]): Promise<TaskResult> {
  const reason = jobRun.signal.reason as StopReason;
  if (reason === 'draining') {
    await jobRun.change((job) => releaseRun(withErrors(job, outcomes), deps.clock()));
    return { againInMs: 0 };
  }
  if (reason === 'lock_lost') return { done: true };
  await jobRun.change((current) => {
    const job = withErrors(current, outcomes);
    const outcome = { nowMs: deps.clock(), retention: deps.retentionOf(job) };
    if (job.cancelRequestedAt !== undefined) return finish(job, 'canceled', outcome);
    const error = jobError('run_timeout', billingOf(job.attempts), job.stage ? { stage: job.stage } : {});
    return finishIncomplete(job, { ...outcome, error });
  });
  return { done: true };
}

/** Every image is there or has failed for good. Some images are a success that says it is partial. */
async function end(deps: Deps, jobRun: JobRun, outcomes: readonly ImageOutcome[]): Promise<void> {
  await jobRun.change((job) => {
    const next = withErrors(job, outcomes);
    const outcome = { nowMs: deps.clock(), retention: deps.retentionOf(job) };
    if (job.cancelRequestedAt !== undefined && job.images.length === 0)
      return finish(next, 'canceled', outcome);
    if (job.images.length > 0) return finish(next, 'succeeded', outcome);
    return finish(next, 'failed', outcome);
  });
}
