import { useEffect, useState } from 'preact/hooks';
import type { ApiError } from '../../api/api-error.ts';
import { isAbort } from '../../api/client.ts';
import type { ImageJob } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { useSession } from '../../lib/context.ts';
import { changeQuery } from '../../lib/router.ts';
import { type Form, withImage } from './form.ts';
import { readForm } from './read-form.ts';
import type { Catalogue } from './reuse.ts';

/** The job that the form came from. */
export interface Source {
  readonly id: string;
  /** Whether the form has its request, not only an image. */
  readonly isWhole: boolean;
  /** Names of its values that the form does not have. */
  readonly missing: readonly string[];
}

interface State {
  readonly source: Source | null;
  readonly error: ApiError | null;
}

/** The form that the address names. */
export interface AddressForm extends State {
  readonly retry: () => void;
  /** Removes the source and the error. */
  readonly clear: () => void;
}

interface Target {
  /** Returns a form with the values that the key requires. */
  readonly forKey: (form: Form) => Form;
  readonly setForm: (change: (form: Form) => Form) => void;
}

const none: State = { source: null, error: null };

/**
 * Fills the form from the job that the address names: `?from=img_...` is its request, `?edit=img_...&index=0` one of its
 * images as an input. The address then names the job only as the result, if at all.
 *
 * @param catalogue undefined while it loads.
 */
export function useAddressForm(
  query: URLSearchParams,
  catalogue: Catalogue | undefined,
  { forKey, setForm }: Target,
): AddressForm {
  const { api } = useSession();
  const [state, setState] = useState(none);
  const [attempt, setAttempt] = useState(0);
  const from = query.get('from');
  const id = from ?? query.get('edit');
  const index = Number(query.get('index') ?? 0);
  const isReady = id !== null && catalogue !== undefined;

  async function fill(signal: AbortSignal): Promise<void> {
    if (!id || !catalogue) return;
    const job = await api.call<ImageJob>(`/images/${id}`, { signal });
    if (from) {
      const { form, missing } = await readForm(job, catalogue, { api, signal, forKey });
      setForm(() => form);
      setState({ source: { id, isWhole: true, missing }, error: null });
      changeQuery({ from: undefined, job: from }, { replace: true });
      return;
    }
    const image = job.images.find((each) => each.index === index);
    if (image) setForm((before) => withImage(before, id, image));
    const missing = [`images[${index}]`];
    setState(image ? none : { source: { id, isWhole: false, missing }, error: null });
    changeQuery({ edit: undefined, index: undefined }, { replace: true });
  }

  useEffect(() => {
    if (!isReady) return;
    const controller = new AbortController();
    fill(controller.signal).catch((error: unknown) => {
      if (!isAbort(error)) setState({ source: null, error: asApiError(error) });
    });
    return () => controller.abort();
  }, [from, id, index, isReady, attempt]);
  return { ...state, retry: () => setAttempt(attempt + 1), clear: () => setState(none) };
}
