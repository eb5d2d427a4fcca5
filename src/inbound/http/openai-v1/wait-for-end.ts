import type { FastifyRequest } from 'fastify';
import { AppError } from '../../../domain/errors.ts';
import type { ImageJob } from '../../../domain/image-job.ts';
import { idle } from '../../../lib/sleep.ts';
import type { GetJob } from '../../../usecases/jobs/get-job.ts';
import { lostAccess } from '../while-allowed.ts';

/** Pause between two reads while the store is unavailable: it refuses at once, and waiting callers are many. */
const outagePauseMs = 1_000;

/** Signals that the wait ended before the job, because the caller disconnected or the process stops. */
export class CallerLeft extends Error {}

/**
 * Waits for the end of a job without a timeout, also during an outage of the store.
 *
 * @param gone ends the wait. Its reason is an AppError if the caller lost its access.
 * @throws CallerLeft if the caller disconnected or the process stops
 * @throws AppError `erased` or `not_found` if the job has no record any more, the refusal if the caller lost its access
 */
export async function waitForEnd(
  getJob: Pick<GetJob, 'waitForEnd'>,
  request: Pick<FastifyRequest, 'log'>,
  { tenant, id, gone }: Pick<ImageJob, 'tenant' | 'id'> & { readonly gone: AbortSignal },
): Promise<ImageJob> {
  for (;;) {
    try {
      const job = await getJob.waitForEnd({ tenant, id }, Number.POSITIVE_INFINITY, gone);
      if (gone.aborted) throw lostAccess(gone) ?? new CallerLeft();
      return job;
    } catch (error) {
      const isOutage = error instanceof AppError && error.code === 'store_unavailable';
      if (!isOutage) throw error;
      if (gone.aborted) throw lostAccess(gone) ?? new CallerLeft();
      request.log.warn({ err: error, job_id: id }, 'job not readable, retrying');
      await idle(outagePauseMs);
    }
  }
}
