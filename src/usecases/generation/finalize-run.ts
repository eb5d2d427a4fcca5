import type { Attempt } from '../../domain/attempt.ts';
import type { EarlyUpload } from './early-upload.ts';
import type { FinalizeResponse } from './finalize-response.ts';
import type { JobRun } from './job-run.ts';
import type { ImageOutcome } from './retry-decision.ts';

/**
 * Finalizes a response on behalf of the run that owns its job.
 *
 * @throws ProviderError if the response holds no image.
 */
export function createFinalizeRun(finalizeResponse: FinalizeResponse) {
  return async (run: JobRun, attempt: Attempt, earlyUpload?: EarlyUpload): Promise<ImageOutcome> => {
    const isDone = await finalizeResponse(run.job, attempt, {
      signal: run.signal,
      update: run.update,
      prepared: await earlyUpload?.prepared(),
    });
    return { kind: isDone ? 'stored' : 'stopped' };
  };
}
export type FinalizeRun = ReturnType<typeof createFinalizeRun>;
