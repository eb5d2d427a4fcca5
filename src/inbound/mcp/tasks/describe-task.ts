import { type ImageJob, isTerminal, type Retention, shownStatus } from '../../../domain/image-job.ts';
import type { ImageJobView } from '../../../domain/job-view.ts';
import { describeJob, describeProgress } from '../describe-job.ts';

/** Pause between two polls that clients are advised to make. */
const pollMs = 2_000;

/** The states that a job has as a task. No job waits for input of the client. */
type TaskStatus = 'working' | 'completed' | 'cancelled';

/** A task of the Model Context Protocol, before a revision names its fields. */
export interface TaskView {
  readonly taskId: string;
  readonly status: TaskStatus;
  readonly statusMessage: string;
  readonly createdAt: string;
  readonly lastUpdatedAt: string;
  /** Milliseconds from the creation until the record may be deleted, at the earliest. */
  readonly lifetimeMs: number;
  readonly pollMs: number;
}

interface Now {
  readonly nowMs: number;
  readonly retentionOf: (job: ImageJob) => Retention;
}

/**
 * Describes a job as a task. The job is the task: they share the id, and nothing else is stored. A job that failed or expired
 * is `completed`, because its tool has a result that reports the error. `failed` is for errors of the protocol.
 */
export function describeTask(job: ImageJob, view: ImageJobView, { nowMs, retentionOf }: Now): TaskView {
  const status = taskStatusOf(job);
  // A job that ended now would be deleted after its retention. A later end only lengthens this time.
  const deletedAt = job.recordExpiresAt ?? nowMs + retentionOf(job).recordSeconds * 1000;
  return {
    taskId: job.id,
    status,
    statusMessage: status === 'working' ? describeProgress(view) : describeJob(view),
    createdAt: new Date(job.createdAt).toISOString(),
    lastUpdatedAt: new Date(job.updatedAt).toISOString(),
    lifetimeMs: Math.max(0, deletedAt - job.createdAt),
    pollMs,
  };
}

function taskStatusOf(job: ImageJob): TaskStatus {
  const status = shownStatus(job);
  if (!isTerminal(status)) return 'working';
  return status === 'canceled' ? 'cancelled' : 'completed';
}
