import type { FastifyRequest } from 'fastify';
import type { ImageJob } from '../../domain/image-job.ts';
import type { ImageJobView, PreviewView } from '../../domain/job-view.ts';
import type { PresentJob } from '../../usecases/jobs/present-job.ts';
import type { PresentPreview } from '../../usecases/jobs/present-preview.ts';
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

/** Function that renders a preview for the caller of a request. */
export type PresentPreviewTo = (
  request: FastifyRequest,
  job: ImageJob,
  name: { readonly index: number; readonly partial: number },
) => Promise<PreviewView | null>;

/** Creates the function that renders previews. Its links use the address that the caller used. */
export function createPresentPreviewTo(deps: {
  readonly presentPreview: PresentPreview;
  readonly addresses: Addresses;
  readonly linkSeconds: number;
}): PresentPreviewTo {
  return (request, job, name) =>
    deps.presentPreview(job, name, {
      publicUrl: deps.addresses.publicUrlOf(request),
      linkSeconds: deps.linkSeconds,
    });
}
