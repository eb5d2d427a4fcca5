import { type ImageJob, isTerminal } from '../../domain/image-job.ts';
import { runEndsAt } from '../../domain/job-deadlines.ts';
import type { Clock, JobStore, StopReason } from '../../domain/ports.ts';

interface Watch {
  /** Aborts if the run has to stop. The abort reason is a `StopReason`. */
  readonly signal: AbortSignal;
  stop(): void;
}

/** How often a run reads its record: the message that stops it may be lost, and a call may take minutes. */
const recordCheckMs = 5_000;

/** Watches the deadline and the record of a run. */
export function watchRun(job: ImageJob, deps: { records: Pick<JobStore, 'get'>; clock: Clock }): Watch {
  const deadline = startDeadline(job, deps.clock());
  const record = watchRecord(deps.records, job);
  return {
    signal: AbortSignal.any([deadline.signal, record.signal]),
    stop() {
      deadline.stop();
      record.stop();
    },
  };
}

/** Aborts with `run_timeout` when the job exceeds its run time, which all of its runs share. */
function startDeadline(job: ImageJob, nowMs: number): Watch {
  const remainingMs = (runEndsAt(job, nowMs) ?? nowMs) - nowMs;
  const deadline = new AbortController();
  const end = () => deadline.abort('run_timeout' satisfies StopReason);
  const timer = remainingMs > 0 ? setTimeout(end, remainingMs) : undefined;
  if (timer) timer.unref();
  else end();
  return { signal: deadline.signal, stop: () => clearTimeout(timer) };
}

/** Aborts if the record says so: the job was canceled, has ended or belongs to another run. */
function watchRecord(records: Pick<JobStore, 'get'>, { tenant, id, fence }: ImageJob): Watch {
  const unwanted = new AbortController();
  const check = async () => {
    const job = await records.get(tenant, id);
    const isOwn = job?.fence === fence && !isTerminal(job.status);
    if (!isOwn) unwanted.abort('lock_lost' satisfies StopReason);
    else if (job.cancelRequestedAt !== undefined) unwanted.abort('canceled' satisfies StopReason);
  };
  // If the store is down, the next check tries again.
  const timer = setInterval(() => void check().catch(() => {}), recordCheckMs);
  timer.unref();
  return { signal: unwanted.signal, stop: () => clearInterval(timer) };
}
