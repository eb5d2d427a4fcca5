import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from './api-error.ts';
import { type Api, isAbort } from './client.ts';
import type { ImagePreview } from './types.ts';
import { asApiError } from './use-live.ts';

/** The estimate of a request. The old one remains while a new one loads. */
export interface Estimate {
  readonly preview: ImagePreview | null;
  readonly error: ApiError | null;
  /** Whether the preview may be that of an earlier request. */
  readonly isLoading: boolean;
}

const pauseMs = 300;
/** Pause before a call is repeated whose failure passes, if the service names none. */
const retryMs = 3_000;

/**
 * Estimates a request 300 ms after its last change. At most one call runs: a change while it runs is estimated after it. A
 * call that fails for a moment is repeated, and until then the old amount counts as loading.
 *
 * @param body the request as JSON; null if there is none to estimate.
 */
export function useEstimate(api: Api, body: string | null): Estimate {
  const [estimate, setEstimate] = useState<Estimate>({
    preview: null,
    error: null,
    isLoading: body !== null,
  });
  const latest = useRef(body);
  latest.current = body;
  const isRunning = useRef(false);
  const isMounted = useRef(true);
  const timer = useRef<ReturnType<typeof setTimeout>>();

  async function run(): Promise<void> {
    if (isRunning.current) return;
    isRunning.current = true;
    try {
      for (let sent: string | null = null; latest.current !== null && latest.current !== sent; ) {
        sent = latest.current;
        const result = await call(api, sent);
        if (!isMounted.current) return;
        const isCurrent = latest.current === sent;
        const isPassing = result.error?.isPassing ?? false;
        setEstimate((before) => ({ ...before, ...result, isLoading: !isCurrent || isPassing }));
        if (isCurrent && isPassing) plan((result.error?.retryAfterS ?? 0) * 1000 || retryMs);
      }
    } finally {
      isRunning.current = false;
    }
  }

  function plan(ms: number): void {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void run(), ms);
  }

  useEffect(() => {
    if (body === null) {
      setEstimate({ preview: null, error: null, isLoading: false });
      return;
    }
    setEstimate((before) => ({ ...before, isLoading: true }));
    plan(pauseMs);
    return () => clearTimeout(timer.current);
  }, [api, body]);
  useEffect(
    () => () => {
      isMounted.current = false;
    },
    [],
  );
  return estimate;
}

async function call(api: Api, body: string): Promise<Partial<Estimate>> {
  try {
    const preview = await api.call<ImagePreview>('/images', {
      query: { dry_run: true },
      body: JSON.parse(body) as unknown,
    });
    return { preview, error: null };
  } catch (error) {
    return isAbort(error) ? {} : { error: asApiError(error) };
  }
}
