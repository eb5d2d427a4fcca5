import { openHandles } from '../../domain/attempt.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import type { ImageProvider, Log, TaskQueue } from '../../domain/ports.ts';

interface Deps {
  /** Only where calls are made: whoever makes none has no key for it. */
  provider?: Pick<ImageProvider, 'cancel'> | undefined;
  jobQueue: Pick<TaskQueue, 'add'>;
  log: Log;
}

/**
 * Stops the calls of a job that has ended which go on by themselves at the provider: nobody will take them up again, and
 * they go on costing money. A process that makes no calls leaves it to a worker, by the task of the job. Best effort.
 */
export function createCancelProviderCalls({ provider, jobQueue, log }: Deps) {
  return async (job: ImageJob): Promise<void> => {
    const handles = openHandles(job.attempts);
    if (handles.length === 0) return;
    if (provider) {
      for (const handle of handles) provider.cancel?.(handle);
      return;
    }
    const { tenant, id } = job;
    await jobQueue.add({ kind: 'run_job', tenant, id }, { priority: 'high' }).catch((error) => {
      log.warn({ err: error, ...logFieldsOf(job) }, 'provider calls of an ended job not canceled');
    });
  };
}
export type CancelProviderCalls = ReturnType<typeof createCancelProviderCalls>;
