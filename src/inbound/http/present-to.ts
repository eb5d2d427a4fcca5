import type { FastifyRequest } from 'fastify';
import type { ImageJob } from '../../domain/image-job.ts';
import type { ImageJobView } from '../../domain/job-view.ts';
import type { PresentJob } from '../../usecases/jobs/present-job.ts';
import type { Addresses } from './addresses.ts';

interface Deps {
  readonly presentJob: PresentJob;
  readonly addresses: Addresses;
  readonly linkSeconds: number;
}

/** Function that renders a job for the caller of a request. */
export type PresentTo = (
  request: FastifyRequest,
  job: ImageJob,
  options?: { readonly withPosition?: boolean },
) => Promise<ImageJobView>;

/** Creates the function that renders jobs. Its links use the address that the caller used. */
export function createPresentTo({ presentJob, addresses, linkSeconds }: Deps): PresentTo {
  return (request, job, { withPosition = true } = {}) =>
    presentJob(job, { publicUrl: addresses.publicUrlOf(request), linkSeconds, withPosition });
}
