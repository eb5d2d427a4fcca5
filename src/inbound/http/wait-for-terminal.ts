import type { FastifyReply } from 'fastify';
import type { ImageJob } from '../../domain/image-job.ts';
import type { TenantSlots } from '../../lib/tenant-slots.ts';
import type { GetJob } from '../../usecases/jobs/get-job.ts';
import { lostAccess, whileAllowed } from './while-allowed.ts';

interface Deps {
  readonly getJob: Pick<GetJob, 'get' | 'waitForEnd'>;
  readonly longPollSlots: TenantSlots;
  readonly draining: AbortSignal;
}

/** Function that waits for the end of a job and returns its latest state. */
export type WaitForTerminal = (
  reply: FastifyReply,
  job: Pick<ImageJob, 'tenant' | 'id'>,
  waitMs: number,
) => Promise<ImageJob>;

/**
 * Creates the function with which a request waits for its job. The wait ends if the job is terminal, the timeout expires,
 * the caller disconnects, or the process stops. Does not wait if no long-poll slot is free, because a wait is only a
 * preference of the caller. The function rejects with the refusal if the caller loses its access during the wait.
 */
export function createWaitForTerminal({ getJob, longPollSlots, draining }: Deps): WaitForTerminal {
  return async (reply, { tenant, id }, waitMs) => {
    const leave = longPollSlots.enter(tenant);
    if (!leave) return getJob.get(tenant, id);
    try {
      const signal = whileAllowed(draining, reply);
      const job = await getJob.waitForEnd({ tenant, id }, waitMs, signal);
      const refusal = lostAccess(signal);
      if (refusal) throw refusal;
      return job;
    } finally {
      leave();
    }
  };
}
