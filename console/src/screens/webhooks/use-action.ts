import { useCallback, useState } from 'preact/hooks';
import type { ApiError } from '../../api/api-error.ts';
import { asApiError } from '../../api/use-live.ts';

/** Runs actions of the user one at a time, with the name of the running one and the error of the last one. */
export function useAction() {
  const [busy, setBusy] = useState<string | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const run = useCallback(async (name: string, work: () => Promise<void>): Promise<void> => {
    setBusy(name);
    setError(null);
    try {
      await work();
    } catch (failure) {
      setError(asApiError(failure));
    } finally {
      setBusy(null);
    }
  }, []);
  return { busy, error, run };
}
