import type { Caller } from '../../domain/api-key.ts';
import { AppError } from '../../domain/errors.ts';
import { hasImage, type ImageJob } from '../../domain/image-job.ts';
import type { ImageRequestFields, VariationRequest } from '../../domain/image-request.ts';
import { isMediaGone } from '../../domain/job-deadlines.ts';
import type { Clock } from '../../domain/ports.ts';
import type { GetJob } from './get-job.ts';
import type { Submission, SubmitJob } from './submit-job.ts';

/**
 * Creates a job that edits one image of an earlier job, with the request of that job. The new job names the earlier job as its
 * parent.
 *
 * @throws AppError `not_found` if there is no such image, and every error of a submission.
 */
export function createVaryJob(deps: { getJob: GetJob; submitJob: SubmitJob; clock: Clock }) {
  return async (
    caller: Caller,
    { id, ...variation }: VariationRequest & { readonly id: string },
    options: Pick<Submission, 'idempotencyKey' | 'requestId' | 'traceparent' | 'origin'>,
  ) => {
    const { index = 0 } = variation;
    const identity = { route: 'variation', parentId: id, variation };
    let job: ImageJob;
    try {
      job = await deps.getJob.get(caller.tenant, id);
    } catch (error) {
      // A variation that was accepted under this key stays valid even if its parent is gone.
      const made = await deps.submitJob.replay({ caller, parentId: id, identity, ...options });
      if (made) return made;
      throw error;
    }
    if (!job.request || isMediaGone(job, deps.clock()) || !hasImage(job, index)) {
      throw new AppError('not_found', { detail: 'The job has no image with this index (any more).' });
    }
    return deps.submitJob.submit({
      caller,
      body: bodyOf(job.request, variation),
      inputs: [{ role: 'image', index: 0, from: { kind: 'image', id, index } }],
      parentId: id,
      identity,
      ...options,
    });
  };
}
export type VaryJob = ReturnType<typeof createVaryJob>;

/**
 * Returns the request of a variation. It has its own cost limit, because its input makes it dearer than the request of the
 * job.
 */
function bodyOf(
  request: ImageRequestFields,
  { n = 1, prompt = request.prompt, max_cost_micro_usd }: VariationRequest,
): ImageRequestFields {
  return { ...request, n, prompt, max_cost_micro_usd };
}
