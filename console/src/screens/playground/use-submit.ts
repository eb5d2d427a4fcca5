import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError, CallOptions } from '../../api/client.ts';
import { newIdempotencyKey } from '../../api/idempotency-key.ts';
import type { ImageJob } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { useSession } from '../../lib/context.ts';

/** A call that creates a job. */
export interface Submission {
  readonly path: string;
  readonly body: unknown;
}

export interface Submit {
  readonly isBusy: boolean;
  /** Whether the connection was lost, and the request is repeated with its key. */
  readonly isRepeating: boolean;
  readonly error: ApiError | null;
  /**
   * Submits a request under a new idempotency key. Resolves to the job; null if the request was refused,
   * or if another one has no response yet.
   */
  readonly submit: (submission: Submission) => Promise<ImageJob | null>;
}

const maxPauseMs = 15_000;
/** Time after a response in which the same request is not meant again. */
const doubleMs = 1_000;

/**
 * Submits requests. Each call has its own idempotency key. A lost connection repeats the request with the same key until the
 * service responds, so that it is never paid for twice.
 */
export function useSubmit(): Submit {
  const { api } = useSession();
  const [state, setState] = useState<Pick<Submit, 'isBusy' | 'isRepeating' | 'error'>>({
    isBusy: false,
    isRepeating: false,
    error: null,
  });
  /** Aborts the request that has no response yet. Null if there is none. */
  const controller = useRef<AbortController | null>(null);
  const latest = useRef({ text: '', until: 0 });
  useEffect(() => () => controller.current?.abort(), []);

  async function submit(submission: Submission): Promise<ImageJob | null> {
    // A double click, or a key that is pressed twice, means one job. The response may arrive between the two.
    const text = JSON.stringify(submission);
    if (controller.current || (text === latest.current.text && Date.now() < latest.current.until))
      return null;
    const mine = new AbortController();
    controller.current = mine;
    try {
      const job = await send(submission, mine.signal);
      if (job) latest.current = { text, until: Date.now() + doubleMs };
      return job;
    } finally {
      controller.current = null;
    }
  }

  async function send({ path, body }: Submission, signal: AbortSignal): Promise<ImageJob | null> {
    const options: CallOptions = { method: 'POST', body, idempotencyKey: newIdempotencyKey(), signal };
    setState({ isBusy: true, isRepeating: false, error: null });
    for (let attempt = 0; ; attempt += 1) {
      try {
        const job = await api.call<ImageJob>(path, options);
        setState({ isBusy: false, isRepeating: false, error: null });
        return job;
      } catch (error) {
        if (signal.aborted) return null;
        const failure = asApiError(error);
        if (!failure.isOutcomeUnknown) {
          setState({ isBusy: false, isRepeating: false, error: failure });
          return null;
        }
        setState({ isBusy: true, isRepeating: true, error: null });
        await pause(Math.min(maxPauseMs, 500 * 2 ** attempt), signal);
      }
    }
  }
  return { ...state, submit };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
