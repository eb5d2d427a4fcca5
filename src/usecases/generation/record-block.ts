import type { ImageJob } from '../../domain/image-job.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import type { Log, Meter, ModerationThrottle, ProviderFailure } from '../../domain/ports.ts';

interface Deps {
  throttle: Pick<ModerationThrottle, 'recordBlock'>;
  meter: Pick<Meter, 'tenantThrottled'>;
  log: Log;
}

/**
 * Creates the function that counts prompts which the moderation of the provider blocked. Never rejects, because the outcome
 * of the call is recorded already and a lost count is harmless.
 */
export function createRecordBlock({ throttle, meter, log }: Deps) {
  return async (job: ImageJob, failure: Pick<ProviderFailure, 'code'>): Promise<void> => {
    if (failure.code !== 'moderation_blocked') return;
    try {
      if (!(await throttle.recordBlock(job.tenant))) return;
      meter.tenantThrottled();
      log.warn(
        { ...logFieldsOf(job), tenant: job.tenant },
        'tenant throttled after repeated moderation blocks',
      );
    } catch (error) {
      log.warn({ err: error, ...logFieldsOf(job) }, 'moderation block not counted');
    }
  };
}
export type RecordBlock = ReturnType<typeof createRecordBlock>;
