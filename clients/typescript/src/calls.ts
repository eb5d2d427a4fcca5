import { ApiError, ImagesMissingError, UnexpectedResponseError } from './errors.ts';
import { createUpload, getJob, submitJob } from './generated/sdk.gen.ts';
import type { Image, ImageJob, ImagePreview, ImageRequest, Upload } from './generated/types.gen.ts';
import { type EditRequest, nameOf, type Payload, payloadOf } from './image-input.ts';
import { checkBytes, type ReadImage } from './job-image.ts';
import { type RetryPolicy, withRetry } from './retry.ts';
import { type CallLimits, isJson, type Transport } from './transport.ts';

/** Options of a generated function, with the connection and the limits of a call. */
type Connected = ReturnType<Transport['call']>;
type Submission = Payload & { readonly query?: { dry_run: true }; readonly key?: string };

/** A call that creates a job. */
export interface SubmitCall {
  readonly key: string;
  /** Whether the caller chose the key. Inputs that would differ for another process with the key are then refused. */
  readonly isOwnKey: boolean;
  readonly signal: AbortSignal;
}

/** Calls of the API that are retried. */
export interface Calls {
  /** Makes a call by a generated function until it succeeds or cannot succeed. `failures` counts the attempts before. */
  call<T>(
    work: (options: Connected, failures: number) => Promise<{ data: T; response?: Response }>,
    limits?: CallLimits,
  ): Promise<T>;
  get(id: string, options: { wait: number; signal?: AbortSignal | undefined }): Promise<ImageJob>;
  submit(request: ImageRequest | EditRequest, call: SubmitCall): Promise<ImageJob>;
  estimate(request: ImageRequest | EditRequest, signal?: AbortSignal): Promise<ImagePreview>;
  upload(file: Blob, signal?: AbortSignal): Promise<Upload>;
  readonly readImage: ReadImage;
}

/** Time for the body of a request: the service refuses bodies that are slower than 10 kB/s. */
const msPerByte = 0.1;

export function createCalls(transport: Transport, policy: RetryPolicy): Calls {
  const call: Calls['call'] = async (work, limits = {}) => {
    const attempt = async (failures: number) => {
      const { data, response } = await work(transport.call(limits), failures);
      // The page of another server would look like a job without fields.
      if (response && response.status !== 204 && !isJson(response.headers)) {
        throw new UnexpectedResponseError('The server sent no JSON. Set baseUrl to a Darkroom.', response);
      }
      return data;
    };
    return withRetry(attempt, policy, limits.signal);
  };

  const get: Calls['get'] = (id, { wait, signal }) =>
    call((options) => getJob({ ...options, path: { id }, query: wait === 0 ? {} : { wait } }), {
      extraMs: wait * 1000,
      signal,
    });

  const upload: Calls['upload'] = (blob, signal) => {
    const file = blob instanceof File ? blob : new File([blob], nameOf(blob), { type: blob.type });
    return call((options) => createUpload({ ...options, body: { file } }), {
      extraMs: blob.size * msPerByte,
      signal,
    });
  };

  /** Posts a request as JSON, or as a form if it has files. */
  function post({ json, form, bytes, query, key }: Submission, signal?: AbortSignal) {
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
    const limits = { extraMs: bytes * msPerByte, signal };
    if (!form)
      return call(
        (options) => submitJob({ ...options, body: json, headers, ...(query ? { query } : {}) }),
        limits,
      );
    const path = query ? '/images?dry_run=true' : '/images';
    return withRetry(() => transport.postForm(path, { form, headers }, limits), policy, signal);
  }

  const read = (image: Image, signal?: AbortSignal) =>
    withRetry(
      async () => {
        const limits = { signal, extraMs: image.size_bytes * msPerByte };
        const bytes = await transport.download(image.url, limits);
        await checkBytes(bytes, image);
        return bytes;
      },
      policy,
      signal,
    );

  return {
    call,
    get,
    upload,
    async submit(request, { key, isOwnKey, signal }) {
      const payload = await payloadOf(request, isOwnKey ? null : (file) => upload(file, signal));
      return (await post({ ...payload, key }, signal)) as ImageJob;
    },
    async estimate(request, signal) {
      const payload = await payloadOf(request, (file) => upload(file, signal));
      return (await post({ ...payload, query: { dry_run: true } }, signal)) as ImagePreview;
    },
    async readImage(image, signal) {
      try {
        return await read(image, signal);
      } catch (error) {
        if (!isRefused(error)) throw error;
        // The link has expired.
        const { images } = await get(image.jobId, { wait: 0, signal });
        const fresh = images.find(({ index }) => index === image.index);
        if (!fresh) throw new ImagesMissingError(image.jobId);
        return read(fresh, signal);
      }
    },
  };
}

const isRefused = (error: unknown): boolean =>
  (error instanceof ApiError || error instanceof UnexpectedResponseError) && !error.retryable;

/** Returns true if an error has a code. */
export const hasCode = (error: unknown, code: ApiError['code']): boolean =>
  error instanceof ApiError && error.code === code;
