import { type ImageJob, isTerminal, shownStage, shownStatus } from '../../domain/image-job.ts';
import type { Jobs } from '../../usecases/jobs/index.ts';
import type { ToolContext } from './tool.ts';

/** Pause between two reports of progress, which reset the idle timers of clients. */
const reportMs = 5_000;

type WaitJobs = Pick<Jobs, 'getJob'>;
type Wait = Pick<ToolContext, 'call' | 'report'> & { readonly seconds: number };

/**
 * Waits until a job has ended or a time has passed, and reports progress meanwhile. Does not wait without a free slot.
 *
 * @param wait `seconds` is the maximum time. Many clients give up after 60 s.
 * @returns the job in its current state.
 */
export async function waitWithProgress(jobs: WaitJobs, job: ImageJob, wait: Wait): Promise<ImageJob> {
  const leave = wait.call.enterWait();
  if (!leave) return job;
  try {
    return await untilEnded(jobs, job, wait);
  } finally {
    leave();
  }
}

async function untilEnded(
  { getJob }: WaitJobs,
  job: ImageJob,
  { call, report, seconds }: Wait,
): Promise<ImageJob> {
  let current = job;
  for (let waitedMs = 0; waitedMs < seconds * 1000; waitedMs += reportMs) {
    if (isTerminal(current.status) || call.gone.aborted) return current;
    const message = `${job.id}: ${shownStage(current.stage) ?? shownStatus(current)}`;
    await report({ done: waitedMs / 1000, message });
    const waitMs = Math.min(reportMs, seconds * 1000 - waitedMs);
    current = await getJob.waitForEnd(current, waitMs, call.gone);
  }
  return current;
}
