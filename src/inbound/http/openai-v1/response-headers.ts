import { AppError } from '../../../domain/errors.ts';
import type { ImageJob } from '../../../domain/image-job.ts';
import { textFault } from '../../../domain/text.ts';

/**
 * Refuses a model name that no header could repeat unchanged. The catalogue does not see a name that `V1_MODEL_MAP` maps.
 *
 * @throws AppError `validation_failed`
 */
export function checkModelName(name: string | undefined): void {
  const fault = name === undefined ? null : textFault(name);
  if (fault === null) return;
  throw new AppError('validation_failed', {
    detail: 'Correct the fields listed in errors.',
    issues: [{ pointer: '/model', detail: fault }],
  });
}

/** Returns a text as a header value, percent-encoded where HTTP needs it. Never throws. */
const headerValue = (text: string): string => encodeURI(text.toWellFormed());

/** Returns the headers of every response to an accepted request. Never throws, because the job may be paid already. */
export function responseHeaders({
  job,
  isJoined,
  requestedModel,
}: {
  readonly job: ImageJob;
  readonly isJoined: boolean;
  readonly requestedModel: string | undefined;
}): Record<string, string> {
  return {
    'x-darkroom-job-id': job.id,
    'x-darkroom-model': headerValue(job.request?.model ?? ''),
    ...(requestedModel === undefined ? {} : { 'x-darkroom-requested-model': headerValue(requestedModel) }),
    ...(isJoined ? { 'x-darkroom-joined': job.id } : {}),
  };
}
