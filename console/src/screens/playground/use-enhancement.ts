import type { ApiError } from '../../api/api-error.ts';
import { newIdempotencyKey } from '../../api/idempotency-key.ts';
import type { Enhancement } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { useSession } from '../../lib/context.ts';
import { useSessionState } from '../../lib/session-state.ts';

/** The enhancement of one prompt. */
interface State {
  readonly isBusy: boolean;
  readonly result: Enhancement | null;
  readonly error: ApiError | null;
  /** Idempotency key of a call whose end is unknown. */
  readonly key: string | null;
}

const idle: State = { isBusy: false, result: null, error: null, key: null };

export interface Enhancing extends State {
  /** Makes one paid call. */
  readonly enhance: () => Promise<void>;
  /** Drops the result, so that the next call makes a new one. */
  readonly drop: () => void;
}

/**
 * Enhances a prompt. The result outlives the dialog that shows it, so that a paid description is not lost. A call whose end
 * is unknown is repeated with its key, so that it is paid once.
 *
 * @param body the request as JSON. Another request begins without a result.
 */
export function useEnhancement(body: string): Enhancing {
  const { api, refreshSelf } = useSession();
  const [latest, setLatest] = useSessionState('playground.enhancement', { body, ...idle });
  const state: State = latest.body === body ? latest : idle;
  async function enhance(): Promise<void> {
    const key = state.key ?? newIdempotencyKey();
    const end = (outcome: Partial<State>) =>
      setLatest((before) => (before.body === body ? { body, ...idle, ...outcome } : before));
    setLatest(() => ({ body, ...idle, isBusy: true, key }));
    try {
      const request = { body: JSON.parse(body) as unknown, idempotencyKey: key };
      end({ result: await api.call<Enhancement>('/prompts/enhance', request) });
    } catch (failure) {
      const error = asApiError(failure);
      end({ error, key: error.leavesUnknown(state.key !== null) ? key : null });
    }
    refreshSelf();
  }
  return { ...state, enhance, drop: () => setLatest(() => ({ body, ...idle })) };
}
