import { AppError } from '../../domain/errors.ts';
import type { ImageJob } from '../../domain/image-job.ts';

/**
 * Refuses the response to a repeated request whose job was erased. Its tombstone looks like a job that succeeded without
 * images.
 *
 * @throws AppError `erased`
 */
export function refuseErased({ erasedAt }: Pick<ImageJob, 'erasedAt'>): void {
  if (erasedAt === undefined) return;
  throw new AppError('erased', { detail: 'The job of this Idempotency-Key was erased.' });
}
