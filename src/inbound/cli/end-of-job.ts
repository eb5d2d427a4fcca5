import type { Darkroom, Job } from '../../../clients/typescript/src/index.ts';
import type { CliContext } from './context.ts';
import { startProgress } from './progress.ts';

/** Waits for the end of a job, in any status, and shows its progress on a terminal. */
export async function endOfJob(context: CliContext, client: Darkroom, job: Job): Promise<Job> {
  const progress = startProgress(context, job);
  try {
    return await client.wait(job, { onEvent: progress.show });
  } catch (error) {
    // A job that ended without images is a result, not a failure of the command.
    if (error instanceof Error && 'job' in error) return await client.get(job);
    throw error;
  } finally {
    progress.end();
  }
}
