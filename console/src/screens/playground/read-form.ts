import type { ApiError } from '../../api/api-error.ts';
import { type Api, isAbort } from '../../api/client.ts';
import type { ImageJob, ImagePreview, Upload } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { type Form, requestOf } from './form.ts';
import { type Catalogue, differencesOf, type FoundInput, formOf, type Reused, withInputs } from './reuse.ts';

interface Reader {
  readonly api: Api;
  readonly signal: AbortSignal;
  /** Returns a form with the values that the key requires. */
  readonly forKey: (form: Form) => Form;
}

/** Returns the form with the request of a job. A dry run of the form shows which values differ from the job. */
export async function readForm(job: ImageJob, catalogue: Catalogue, reader: Reader): Promise<Reused> {
  const found = await Promise.all(job.inputs.map(({ source }) => readInput(source, reader)));
  const { form, missing } = withInputs(reader.forKey(formOf(job.request, catalogue)), job.inputs, found);
  const body = requestOf(form);
  const made = await readRequest(body, reader);
  return { form, missing: [...missing, ...differencesOf(job.request, made, catalogue.models)] };
}

/** Returns a request with its defaults; as it is if the service refuses it. The form then shows the reason. */
async function readRequest(body: Readonly<Record<string, unknown>>, { api, signal }: Reader) {
  const query = { dry_run: true };
  return api.call<ImagePreview>('/images', { query, body, signal }).then(
    ({ request }) => request,
    unless((error) => !error.isConnectionLost, body),
  );
}

/** Returns an input of a job for the form; null if the file is not available any more. */
async function readInput(
  { image_id, index = 0, upload_id, url }: ImageJob['inputs'][number]['source'],
  { api, signal }: Reader,
): Promise<FoundInput | null> {
  const isGone = ({ status }: ApiError) => status === 404 || status === 410;
  if (image_id !== undefined) {
    const job = await api.call<ImageJob>(`/images/${image_id}`, { signal }).catch(unless(isGone, null));
    const image = job?.images.find((each) => each.index === index);
    const name = `${image_id} ${index + 1}`;
    return image ? { name, previewUrl: image.url, source: { image_id, index } } : null;
  }
  if (upload_id !== undefined) {
    const upload = await api.call<Upload>(`/uploads/${upload_id}`, { signal }).catch(unless(isGone, null));
    if (!upload) return null;
    // The page may not read bytes of another origin. The input then has no preview.
    const bytes = await api.open(`/uploads/${upload_id}/content`, { signal, redirect: 'manual' }).then(
      (response) => response.blob(),
      unless(() => true, null),
    );
    return {
      name: upload_id,
      previewUrl: bytes && URL.createObjectURL(bytes),
      source: { upload_id },
    };
  }
  return url === undefined ? null : { name: url, previewUrl: null, source: { url } };
}

/** Returns a handler that replaces expected failures by a value, and rejects with the others. */
function unless<Value>(isExpected: (error: ApiError) => boolean, value: Value) {
  return (failure: unknown): Value => {
    if (isAbort(failure)) throw failure;
    const error = asApiError(failure);
    if (isExpected(error)) return value;
    throw error;
  };
}
