import { createDeadline, sleep } from './deadline.ts';
import { DarkroomError, WaitTimeoutError } from './errors.ts';
import { readStream, streamPathOf } from './event-stream.ts';
import type { ImageEvent, ImageJob } from './generated/types.gen.ts';
import type { Transport } from './transport.ts';

export interface WaitOptions {
  /** Ends the wait. The job continues. */
  readonly signal?: AbortSignal | undefined;
  /** Maximum time of the call, in milliseconds. Default: no limit. The job continues afterwards. */
  readonly timeoutMs?: number | undefined;
  /** Called for every change of the job, stored image and preview. */
  readonly onEvent?: ((event: ImageEvent) => void) | undefined;
}

interface Deps {
  readonly transport: Transport;
  /** Reads the job with retries. Waits for its end for so many seconds. */
  readonly getJob: (id: string, options: { wait: number; signal: AbortSignal }) => Promise<ImageJob>;
}

const endStatuses: ReadonlySet<string> = new Set(['succeeded', 'failed', 'canceled', 'expired']);

/** Returns true if a job has ended. */
export const hasEnded = ({ status }: Pick<ImageJob, 'status'>): boolean => endStatuses.has(status);

/** Minimum pause before a stream is opened again. It bounds the rate if every stream is cut at once. */
const reopenMs = 500;
/** Number of streams without a byte after which the client only polls: a proxy may block event streams. */
const maxSilentStreams = 3;
const pollSeconds = 25;

/**
 * Waits for the end of a job by its event stream, which is opened again if it is cut. Falls back to long polls if streams do
 * not work.
 *
 * @throws WaitTimeoutError if the caller's timeout passes.
 */
export async function waitForJob(deps: Deps, id: string, options: WaitOptions): Promise<ImageJob> {
  const { timeoutMs = Number.POSITIVE_INFINITY } = options;
  const deadline = createDeadline(timeoutMs, options.signal);
  try {
    return await followJob(deps, id, { ...options, signal: deadline.signal });
  } catch (error) {
    if (deadline.hasPassed()) throw new WaitTimeoutError(id, timeoutMs);
    throw error;
  } finally {
    deadline.end();
  }
}

async function followJob(
  deps: Deps,
  id: string,
  { signal, onEvent }: WaitOptions & { signal: AbortSignal },
): Promise<ImageJob> {
  let after = '0';
  for (let silentStreams = 0; ; ) {
    let isSilent = true;
    if (silentStreams < maxSilentStreams) {
      try {
        for await (const step of readStream(deps.transport, streamPathOf(id), { after, signal })) {
          isSilent = false;
          after = step.id ?? after;
          if (!step.event) continue;
          onEvent?.(step.event);
          if ('job' in step.event) return step.event.job;
        }
      } catch (error) {
        // The poll below finds out whether the job can still be read.
        if (!(error instanceof DarkroomError)) throw error;
      }
      silentStreams = isSilent ? silentStreams + 1 : 0;
    }
    const job = await deps.getJob(id, { wait: isSilent ? pollSeconds : 0, signal });
    if (hasEnded(job)) return job;
    await sleep(reopenMs, signal);
  }
}
