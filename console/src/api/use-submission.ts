import { useEffect } from 'preact/hooks';
import { useSession } from '../lib/context.ts';
import { useSessionState } from '../lib/session-state.ts';
import type { ApiError } from './api-error.ts';
import { newIdempotencyKey } from './idempotency-key.ts';
import type { ImageJob } from './types.ts';
import { asApiError } from './use-live.ts';

/** A call that creates a job. */
interface Submission {
  readonly path: string;
  readonly body?: unknown;
}

interface State {
  /** The call without a known outcome. Null if there is none. */
  readonly pending: Submission | null;
  /** Whether the first response did not tell the outcome, so that the request is repeated with its key. */
  readonly isRepeating: boolean;
  /** Idempotency key of the latest call while its outcome is unknown. The same request is then submitted with it again. */
  readonly key: string | null;
  readonly error: ApiError | null;
  /** The job of the latest call, until a part of the page shows it. */
  readonly made: ImageJob | null;
  /** The latest call, as text. */
  readonly text: string;
  /** End of the time in which the latest call is not meant again, in milliseconds. */
  readonly until: number;
}

const idle: State = {
  pending: null,
  isRepeating: false,
  key: null,
  error: null,
  made: null,
  text: '',
  until: 0,
};

/** The submission of requests for one purpose. */
export interface Submitting extends Pick<State, 'pending' | 'isRepeating' | 'error'> {
  /** Submits a request under a new idempotency key, unless the latest one has no known outcome yet. */
  readonly submit: (submission: Submission) => void;
  /** Submits the latest request again. */
  readonly retry: () => void;
}

const maxPauseMs = 15_000;
/** Time after a response in which the same request is not meant again. */
const doubleMs = 1_000;

/**
 * Submits requests that are paid. Each has its own idempotency key. As long as the outcome is unknown the request is repeated
 * with this key, so that it is never paid for twice. The call continues while the user visits other screens, and its job is
 * shown on the return.
 *
 * @param purpose name of the form or dialog. Each purpose has one call at a time.
 * @param onMade shows the job.
 */
export function useSubmission(purpose: string, onMade: (job: ImageJob) => void): Submitting {
  const { api, ended, refreshSelf } = useSession();
  const [state, change] = useSessionState<State>(`submission ${purpose}`, idle);
  const set = (changes: Partial<State>) => change((before) => ({ ...before, ...changes }));

  function submit(submission: Submission): void {
    const text = JSON.stringify(submission);
    change((before) => {
      // A double click, or a key that is pressed twice, means one job. The response may arrive between the two.
      if (before.pending || (text === before.text && Date.now() < before.until)) return before;
      const unknown = text === before.text ? before.key : null;
      const left = new AbortController();
      void send(submission, { text, unknown, left: left.signal }).finally(() => left.abort());
      return { ...idle, pending: submission, text, key: unknown };
    });
  }

  /** Sends a call until its outcome is known, with the key of an earlier call whose outcome is unknown. */
  async function send(
    { path, body }: Submission,
    { text, unknown, left: signal }: { text: string; unknown: string | null; left: AbortSignal },
  ): Promise<void> {
    const idempotencyKey = unknown ?? newIdempotencyKey();
    const options = { method: 'POST', body, idempotencyKey, signal: ended } as const;
    const ask = (event: Event) => event.preventDefault();
    let isUnknown = unknown !== null;
    for (let pauseMs = 500; ; pauseMs = Math.min(maxPauseMs, pauseMs * 2)) {
      try {
        const made = await api.call<ImageJob>(path, options);
        change(() => ({ ...idle, made, text, until: Date.now() + doubleMs }));
        refreshSelf();
        return;
      } catch (failure) {
        if (ended.aborted) return;
        const error = asApiError(failure);
        isUnknown = error.leavesUnknown(isUnknown);
        const key = isUnknown ? idempotencyKey : null;
        const canRepeat = isUnknown && (error.isOutcomeUnknown || error.isPassing);
        if (!canRepeat) return set({ pending: null, isRepeating: false, key, error });
        set({ isRepeating: true, key });
        // The browser asks before the page is left, because the key would be lost.
        addEventListener('beforeunload', ask, { signal });
        const { retryAfterS } = error;
        await new Promise((resolve) => setTimeout(resolve, Math.max(pauseMs, (retryAfterS ?? 0) * 1000)));
      }
    }
  }

  const { made } = state;
  useEffect(() => {
    if (!made) return;
    set({ made: null });
    onMade(made);
  }, [made]);
  // A refusal that the user has seen is not news on the return.
  useEffect(() => () => set({ error: null }), []);
  return { ...state, submit, retry: () => submit(JSON.parse(state.text) as Submission) };
}
