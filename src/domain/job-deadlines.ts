import type { ImageJob } from './image-job.ts';

/** The times at which a job expires, times out or is deleted, computed from its record. */

/**
 * Returns when the sweeper next has to act on a job: at the end of the queue TTL, some time after the run timeout (the
 * worker should have ended the job), or when images or record expire. `undefined` if it never has to.
 */
export function dueAt(job: ImageJob): number | undefined {
  if (job.status === 'queued') return waitsUntil(job);
  if (job.status === 'running') {
    const endsAt = runEndsAt(job, job.blocked?.untilMs ?? job.createdAt);
    return endsAt === undefined ? undefined : endsAt + overrunMs;
  }
  if (job.mediaGone) return job.recordExpiresAt;
  const times = [job.mediaExpiresAt, previewsExpireAt(job)].filter((time) => time !== undefined);
  return times.length > 0 ? Math.min(...times) : undefined;
}

/** Whether the images of a job are deleted, or past their retention and about to be deleted. */
export function isMediaGone({ mediaGone, mediaExpiresAt }: ImageJob, nowMs: number): boolean {
  return mediaGone === true || (mediaExpiresAt ?? Number.POSITIVE_INFINITY) <= nowMs;
}

/** How long previews stay after the end of a job. Event streams can be replayed for the same time. */
const previewsMs = 3_600_000;

/**
 * Returns when the previews of a job are deleted: with its images, and at the latest an hour after its end. `undefined`
 * while it runs or if it has none.
 */
export function previewsExpireAt({ previews, finishedAt, mediaExpiresAt }: ImageJob): number | undefined {
  if (!previews?.length || finishedAt === undefined) return undefined;
  return Math.min(finishedAt + previewsMs, mediaExpiresAt ?? Number.POSITIVE_INFINITY);
}

/** Whether the previews of a job are past their retention, and deleted or about to be. */
export const arePreviewsGone = (job: ImageJob, nowMs: number): boolean =>
  (previewsExpireAt(job) ?? Number.POSITIVE_INFINITY) <= nowMs;

const overrunMs = 30_000;

/**
 * Returns when a job exceeds its `run_timeout_s`. Waits for a blocked provider scope or another release do not count.
 *
 * @param nowMs end of the current wait if the job is blocked.
 */
export function runEndsAt(job: ImageJob, nowMs: number): number | undefined {
  if (!job.request) return undefined;
  const currentWaitMs = job.blocked ? Math.max(0, nowMs - job.blocked.sinceMs) : 0;
  const blockedMs = (job.blockedMs ?? 0) + currentWaitMs;
  return (job.startedAt ?? job.createdAt) + job.request.run_timeout_s * 1000 + blockedMs;
}

/** Returns the end of the queue TTL (`queue_ttl_s`); `undefined` if the job is not queued. */
export function waitsUntil({ status, request, createdAt }: ImageJob): number | undefined {
  return status === 'queued' && request ? createdAt + request.queue_ttl_s * 1000 : undefined;
}

/** Whether a queued job is past its queue TTL. */
export function hasWaitedTooLong(job: ImageJob, nowMs: number): boolean {
  return (waitsUntil(job) ?? Number.POSITIVE_INFINITY) <= nowMs;
}
