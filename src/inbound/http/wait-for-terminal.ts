import type { FastifyReply } from 'fastify';
import type { ImageJob } from '../../domain/image-job.ts';
import { type HttpContext, untilCallerLeaves } from './context.ts';

/**
 * Holds an answer until its job has ended, the time is over or the caller leaves.
 *
 * @returns the job as it is then; at once where nobody else can wait here, since a wait is a wish.
 */
export async function waitForTerminal(
  context: HttpContext,
  reply: FastifyReply,
  { tenant, id }: Pick<ImageJob, 'tenant' | 'id'>,
  waitMs: number,
): Promise<ImageJob> {
  const leave = context.longPollSlots.enter(tenant);
  if (!leave) return context.getJob.get(tenant, id);
  try {
    return await context.getJob.waitForEnd(tenant, id, waitMs, untilCallerLeaves(context, reply));
  } finally {
    leave();
  }
}
