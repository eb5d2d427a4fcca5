import { isTerminal } from '../../domain/image-job.ts';
import type { ImageJobView } from '../../domain/job-view.ts';
import { sleep } from '../../lib/sleep.ts';
import type { ApiClient } from './api-client.ts';
import { TransientError } from './call-errors.ts';
import type { CliContext } from './context.ts';

/** Minimum pause before a stream is opened again. It bounds the rate if every stream is cut at once. */
const reopenMs = 500;
/** Terminal sequence that erases the line with the progress. */
export const clearLine = '\r\u001b[K';

/** Waits for the end of a job by its event stream and draws its progress. Opens the stream again if it is cut. */
export async function followJob(
  context: CliContext,
  client: ApiClient,
  job: ImageJobView,
): Promise<ImageJobView> {
  const started = Date.now();
  const draws = context.drawsProgress();
  let state = job.status as string;
  const show = () => {
    if (!draws) return;
    process.stderr.write(`${clearLine}${state} ${Math.round((Date.now() - started) / 1000)} s`);
  };
  const ticker = setInterval(show, 1_000);
  try {
    for (let seen = '0'; ; ) {
      let pauseMs = reopenMs;
      try {
        for await (const { no, event } of client.events(job.id, seen)) {
          seen = no ?? seen;
          if (!event) continue;
          state = event.stage ?? event.status;
          show();
          if (event.job) return event.job;
        }
      } catch (error) {
        if (!(error instanceof TransientError)) throw error;
        pauseMs = Math.max(pauseMs, error.retryAfterMs);
      }
      // The job is also polled, because a proxy may block event streams.
      const now = await client.get(job.id);
      if (isTerminal(now.status)) return now;
      await sleep(pauseMs);
    }
  } finally {
    clearInterval(ticker);
    if (draws) process.stderr.write(clearLine);
  }
}
