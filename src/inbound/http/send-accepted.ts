import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../domain/errors.ts';
import { type ImageJob, isTerminal } from '../../domain/image-job.ts';
import type { ImageJobView } from '../../domain/job-view.ts';
import { refuseErased } from '../../usecases/jobs/refuse-erased.ts';
import type { Preferences } from './headers.ts';
import { type LifecycleHeadersOf, lifecycleHeaders } from './model-lifecycle.ts';
import type { PresentTo } from './present-to.ts';
import { requestHeader } from './request-headers.ts';
import { header, json, pollSeconds } from './responses.ts';
import type { WaitForTerminal } from './wait-for-terminal.ts';

/** Headers of every response with an accepted job. */
export const acceptedHeaders = {
  'preference-applied': header.preferenceApplied,
  'idempotent-replayed': header.replayed,
  ...lifecycleHeaders,
};

/** Headers of a response with a job that has not ended. */
export const newJobHeaders = {
  ...acceptedHeaders,
  location: header.location,
  'retry-after': header.pollAfter,
};

/** Documented headers of every request that creates a job. */
export const submissionHeaders = {
  type: 'object',
  properties: { 'idempotency-key': requestHeader.idempotencyKey, prefer: requestHeader.prefer },
};

/** Documented responses with a job that was made from another job. */
export const newJobResponses = {
  200: json('The new job, which ended during the wait', 'ImageJob', { headers: acceptedHeaders }),
  202: json('The new job', 'ImageJob', { headers: newJobHeaders }),
};

interface Accepted {
  readonly job: ImageJob;
  readonly replayed: boolean;
  readonly preferences: Preferences;
}

/**
 * Function that responds with an accepted job. The status is 200 if the job has ended and the caller waited or repeated
 * the request, otherwise 202.
 */
export type SendAccepted = (
  request: FastifyRequest,
  reply: FastifyReply,
  accepted: Accepted,
) => Promise<ImageJobView>;

interface Deps {
  readonly presentTo: PresentTo;
  readonly waitForTerminal: WaitForTerminal;
  readonly lifecycleHeadersOf: LifecycleHeadersOf;
}

/** Creates the function that responds with accepted jobs. It throws `erased` for the replay of an erased job. */
export function createSendAccepted({ presentTo, waitForTerminal, lifecycleHeadersOf }: Deps): SendAccepted {
  /**
   * Returns the job after the wait. If waiting or rendering fails, returns the job as accepted, because an error would hide
   * the id of a job that runs and costs money.
   */
  async function latestView(
    request: FastifyRequest,
    reply: FastifyReply,
    { job, replayed, preferences }: Accepted,
  ): Promise<ImageJobView> {
    const waitMs = preferences.waitSeconds * 1000;
    try {
      const latest = waitMs > 0 ? await waitForTerminal(reply, job, waitMs) : job;
      // The queue position costs a Redis read, and a caller that needs it polls.
      return await presentTo(request, latest, { withPosition: waitMs > 0 || replayed });
    } catch (error) {
      if (error instanceof AppError && error.code === 'erased') throw error;
      request.log.warn({ err: error, job_id: job.id }, 'job accepted, but its latest state is not available');
      return presentTo(request, job, { withPosition: false });
    }
  }

  return async (request, reply, accepted) => {
    const { job, preferences, replayed } = accepted;
    request.jobId = job.id;
    refuseErased(job);
    const view = await latestView(request, reply, accepted);
    reply.headers(lifecycleHeadersOf(job.request?.model)).header('cache-control', 'no-store');
    if (replayed) reply.header('idempotent-replayed', 'true');
    if (preferences.applied) reply.header('preference-applied', preferences.applied);
    const hasEnded = isTerminal(view.status) && (preferences.waitSeconds > 0 || replayed);
    if (!hasEnded) reply.code(202).header('location', `/images/${job.id}`).header('retry-after', pollSeconds);
    return view;
  };
}
