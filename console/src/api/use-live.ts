import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from './api-error.ts';
import { isAbort } from './client.ts';

/** Data of the API with its state. */
export interface Live<T> {
  /** The latest data; undefined before the first response. Remains while a later call fails. */
  readonly data: T | undefined;
  readonly error: ApiError | null;
  /** Whether a call runs. */
  readonly isLoading: boolean;
  /** Calls again now. */
  readonly refresh: () => void;
  /** Replaces the data, for example after a change by the user. */
  readonly set: (data: T) => void;
}

const maxBackoff = 8;

/**
 * Loads data, aborts the call if the component ends, and loads again after changes of the inputs.
 *
 * @param options.everyMs repeats the call while the tab is visible. After failures the pauses grow.
 */
export function useLive<T>(
  load: (signal: AbortSignal) => Promise<T>,
  inputs: readonly unknown[],
  { everyMs, isEnabled = true }: { everyMs?: number; isEnabled?: boolean } = {},
): Live<T> {
  const [state, setState] = useState<{ data?: T; error: ApiError | null; isLoading: boolean }>({
    error: null,
    isLoading: isEnabled,
  });
  const latest = useRef(load);
  latest.current = load;
  const start = useRef<() => void>(() => undefined);

  // The inputs replace the load function, which is a new one for each rendering.
  useEffect(() => {
    if (!isEnabled) return;
    let controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    const plan = () => {
      clearTimeout(timer);
      if (everyMs === undefined || document.hidden) return;
      timer = setTimeout(run, everyMs * Math.min(maxBackoff, 2 ** failures));
    };
    function run(): void {
      controller.abort();
      clearTimeout(timer);
      const mine = new AbortController();
      controller = mine;
      setState((before) => ({ ...before, isLoading: true }));
      latest.current(mine.signal).then(
        (data) => {
          if (mine.signal.aborted) return;
          failures = 0;
          setState({ data, error: null, isLoading: false });
          plan();
        },
        (error: unknown) => {
          if (mine.signal.aborted || isAbort(error)) return;
          failures += 1;
          setState((before) => ({ ...before, error: asApiError(error), isLoading: false }));
          plan();
        },
      );
    }
    const show = () => (document.hidden ? clearTimeout(timer) : everyMs !== undefined && run());
    start.current = run;
    run();
    document.addEventListener('visibilitychange', show);
    return () => {
      document.removeEventListener('visibilitychange', show);
      clearTimeout(timer);
      controller.abort();
    };
  }, [...inputs, isEnabled, everyMs]);

  const refresh = useCallback(() => start.current(), []);
  const set = useCallback((data: T) => setState((before) => ({ ...before, data })), []);
  return { data: state.data, error: state.error, isLoading: state.isLoading, refresh, set };
}

/** Returns an error of any kind as the error of a call. */
export function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError({ message: String(error), status: 0 });
}
