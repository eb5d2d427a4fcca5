import { z } from 'zod';
import { billingOf } from './attempt.ts';
import { AppError, shownCode } from './errors.ts';
import { type ImageJob, isTerminal, type JobError, jobError, type Retention } from './image-job.ts';
import { ImageRequestFields } from './image-request.ts';
import { finish } from './job-moves.ts';
import { ImageJobView } from './job-view.ts';

/**
 * An enhancement: a job without images that only expands a prompt. It is queued, limited, paid and erased like every job.
 * Lists, the event stream of a tenant and webhooks omit it. See docs/adr/0027-enhance-prompts-by-jobs-without-images.md.
 */

/** Maximum time that a caller waits for an enhancement, and that an enhancement waits in the queue, in seconds. */
export const enhancementWaitSeconds = 55;

/** Maximum time of running, in seconds. It exceeds the timeout of the call. */
const runSeconds = 120;

/** How long the record of an enhancement stays, in seconds. Its idempotency key lives as long. */
const recordSeconds = 24 * 3600;

/** Body of a request to enhance a prompt. */
export const EnhancementRequest = z.strictObject({
  prompt: ImageRequestFields.shape.prompt,
  preset: ImageRequestFields.shape.preset.describe(
    'The preset that the prompt is meant for, which is checked as for a job. The enhanced prompt does not contain its text.',
  ),
});
export type EnhancementRequest = z.infer<typeof EnhancementRequest>;

const { shape } = ImageJobView;

/** An enhanced prompt on the wire. */
export const Enhancement = z.object({
  object: z.literal('enhancement'),
  original: z.string().describe('The prompt of the request.'),
  enhanced: z
    .string()
    .describe('Description written by a language model. Send it as `prompt` with `enhance: off`.'),
  usage: shape.usage,
  cost: shape.cost,
});
export type Enhancement = z.infer<typeof Enhancement>;

/**
 * Returns the stored request of an enhancement. A call with an unknown outcome is never repeated.
 *
 * @param model the language model that writes the description.
 */
export function enhancementRequest({ prompt, preset }: EnhancementRequest, model: string) {
  return {
    prompt,
    ...(preset === undefined ? {} : { preset }),
    model,
    n: 0,
    size: 'auto',
    enhance: 'always',
    priority: 'normal',
    queue_ttl_s: enhancementWaitSeconds,
    run_timeout_s: runSeconds,
    on_uncertain: 'fail',
    retention: { media_s: recordSeconds, record_s: recordSeconds },
  } as const;
}

/** Ends an enhancement after its call. It succeeds if there is a description. */
export function finishEnhancement(
  job: ImageJob,
  outcome: { readonly nowMs: number; readonly retention: Retention },
): ImageJob {
  if (job.enhancedPrompt !== undefined) return finish(job, 'succeeded', outcome);
  return finish(job, 'failed', job.errors?.length ? outcome : { ...outcome, error: errorOfCalls(job) });
}

/** Returns the error of a job whose worker died after the outcome of the call was written. */
function errorOfCalls({ attempts }: ImageJob): JobError {
  const code = shownCode(attempts.at(-1)?.error ?? 'internal');
  const message = code === 'worker_lost' ? { message: 'The worker died during the call' } : {};
  return jobError(code, billingOf(attempts), { stage: 'enhancing', ...message });
}

/**
 * Returns the view of an enhancement.
 *
 * @throws AppError the error of a job without a description; `run_timeout` if the job has not ended.
 */
export function viewEnhancement(job: ImageJobView): Enhancement {
  const { prompt, usage, cost, error, status } = job;
  if (!isTerminal(status)) {
    throw new AppError('run_timeout', {
      detail: `The prompt was not enhanced within ${enhancementWaitSeconds} s by job ${job.id}. If the request had an Idempotency-Key, its repetition returns the result.`,
      members: { billing: 'possible' },
    });
  }
  if (prompt.enhanced !== null) {
    return { object: 'enhancement', original: prompt.original, enhanced: prompt.enhanced, usage, cost };
  }
  const code = error?.code ?? 'canceled';
  const message = (error?.message ?? 'The job was canceled').replace(/\.$/, '');
  const { billing } = cost;
  throw new AppError(code, { detail: `${message}. ${chargeText[billing]}`, members: { billing } });
}

const chargeText = {
  none: 'Nothing was charged.',
  possible: 'A charge is possible.',
  charged: 'The call was charged.',
} as const;
