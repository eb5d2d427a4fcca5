import { type Calls, createCalls, hasCode, type SubmitCall } from './calls.ts';
import { createDeadline } from './deadline.ts';
import { DarkroomError, ImagesMissingError, JobEndedError, WaitTimeoutError } from './errors.ts';
import { readStream, type StreamOptions, type StreamStep, streamPathOf } from './event-stream.ts';
import type { Client } from './generated/client/index.ts';
import { cancelJob, eraseJob, getJob, listJobs, retryJob, varyJob } from './generated/sdk.gen.ts';
import type {
  ImageJob,
  ImagePreview,
  ImageRequest,
  ListJobsData,
  Upload,
  VariationRequest,
} from './generated/types.gen.ts';
import { checkKey, createKey } from './idempotency-key.ts';
import { blobOf, checkImages, type EditRequest, type FileSource, withoutMissing } from './image-input.ts';
import { type Job, type JobImage, type SucceededJob, withDownloads } from './job-image.ts';
import type { RetryPolicy } from './retry.ts';
import { type ApiKey, createTransport, type Fetch, type Transport } from './transport.ts';
import { hasEnded, type WaitOptions, waitForJob } from './wait-for-job.ts';

export interface DarkroomOptions extends Partial<RetryPolicy> {
  /** API key, or a function that returns it. */
  readonly apiKey: ApiKey;
  /** Address of the service, such as `https://darkroom.example`. */
  readonly baseUrl: string;
  /** Maximum time of one attempt of a call, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /** Maximum time for the retries of a call, from its first failure, in milliseconds. Default 60,000. */
  readonly retryForMs?: number;
  /** Replaces the global `fetch`. */
  readonly fetch?: Fetch;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Options of a call that creates a job. */
export interface MakeOptions extends WaitOptions {
  /** Key with which the call can be repeated without a second job. Default: a random key for all attempts of the call. */
  readonly idempotencyKey?: string | undefined;
  /** `false` returns the job when it is accepted. By default the call waits for the images. */
  readonly wait?: boolean | undefined;
}
type Unwaited = { readonly wait: false };

/** A job, or its id. */
export type JobRef = string | { readonly id: string };
/** A job, its id, or one of its images. */
export type ImageRef = JobRef | JobImage;
/** Content of an upload. */
export type UploadSource = FileSource;

/** Client of a Darkroom. */
export class Darkroom {
  /** Client for the functions of `@darkroom/client/api`, which cover the whole API. They never retry. */
  readonly client: Client;
  readonly #transport: Transport;
  readonly #calls: Calls;

  constructor(options: DarkroomOptions) {
    const { apiKey, baseUrl, timeoutMs = 30_000, retryForMs = 60_000, onRetry } = options;
    if (!apiKey) throw new TypeError('Missing apiKey.');
    // Browsers allow fetch only as a method of the window.
    const fetch: Fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#transport = createTransport({ apiKey, baseUrl, timeoutMs, fetch });
    this.#calls = createCalls(this.#transport, { retryForMs, onRetry });
    this.client = this.#transport.client;
  }

  /** Generates images and waits for them. A broken connection never leads to a second payment. */
  generate(request: ImageRequest, options: MakeOptions & Unwaited): Promise<Job>;
  generate(request: ImageRequest, options?: MakeOptions): Promise<SucceededJob>;
  generate(request: ImageRequest, options: MakeOptions = {}): Promise<Job> {
    return this.#make(options, (call) => this.#calls.submit(request, call));
  }

  /** Edits images and waits for the result. Rejects with a TypeError without an image. */
  edit(request: EditRequest, options: MakeOptions & Unwaited): Promise<Job>;
  edit(request: EditRequest, options?: MakeOptions): Promise<SucceededJob>;
  edit(request: EditRequest, options: MakeOptions = {}): Promise<Job> {
    return this.#make(options, (call) => this.#calls.submit(checkImages(request), call));
  }

  /** Makes variations of an image of an earlier job and waits for them. */
  vary(image: ImageRef, options: VariationRequest & MakeOptions & Unwaited): Promise<Job>;
  vary(image: ImageRef, options?: VariationRequest & MakeOptions): Promise<SucceededJob>;
  vary(image: ImageRef, options: VariationRequest & MakeOptions = {}): Promise<Job> {
    const isImage = typeof image === 'object' && 'jobId' in image;
    const path = { id: isImage ? image.jobId : idOf(image) };
    const { n, prompt, index, ...rest } = options;
    const body = withoutMissing({
      index: index ?? (isImage ? image.index : 0),
      n,
      prompt,
    }) as VariationRequest;
    return this.#make(rest, ({ key, signal }) =>
      this.#calls.call((call) => varyJob({ ...call, path, body, headers: { 'idempotency-key': key } }), {
        signal,
      }),
    );
  }

  /** Repeats a job that failed, was canceled or expired, as a new job, and waits for its images. */
  retry(job: JobRef, options: MakeOptions & Unwaited): Promise<Job>;
  retry(job: JobRef, options?: MakeOptions): Promise<SucceededJob>;
  retry(job: JobRef, options: MakeOptions = {}): Promise<Job> {
    const path = { id: idOf(job) };
    return this.#make(options, ({ key, signal }) =>
      this.#calls.call((call) => retryJob({ ...call, path, headers: { 'idempotency-key': key } }), {
        signal,
      }),
    );
  }

  /**
   * Waits for the images of a job.
   *
   * @throws JobEndedError if the job ends without images, WaitTimeoutError after `timeoutMs`.
   */
  async wait(job: JobRef, options: WaitOptions = {}): Promise<SucceededJob> {
    const id = idOf(job);
    try {
      const ended = await waitForJob({ transport: this.#transport, getJob: this.#calls.get }, id, options);
      return this.#succeeded(ended);
    } catch (error) {
      throw withOrigin(error, { jobId: id });
    }
  }

  async get(job: JobRef, options: CallOptions = {}): Promise<Job> {
    return this.#job(await this.#calls.get(idOf(job), { wait: 0, ...options }));
  }

  /** Yields the jobs that match, newest first. `limit` is the number of jobs of one page. */
  async *list(
    query: NonNullable<ListJobsData['query']> = {},
    options: CallOptions = {},
  ): AsyncGenerator<Job, void, undefined> {
    for (let { cursor } = query; ; ) {
      const from = cursor === undefined ? {} : { cursor };
      const page = await this.#calls.call(
        (call) => listJobs({ ...call, query: { ...query, ...from } }),
        options,
      );
      for (const job of page.data) yield this.#job(job);
      if (!page.has_more || page.next_cursor === null) return;
      cursor = page.next_cursor;
    }
  }

  /** Cancels a job. A queued job costs nothing. `cost.billing` shows whether a running one may cost. */
  async cancel(job: JobRef, options: CallOptions = {}): Promise<Job> {
    const path = { id: idOf(job) };
    const canceled = await this.#calls.call(async (call, failures) => {
      try {
        return await cancelJob({ ...call, path });
      } catch (error) {
        // The response of an earlier attempt may have been lost, or the job ended before it.
        if (failures === 0 || !hasCode(error, 'already_terminal')) throw error;
        const job = await getJob({ ...call, path });
        if (job.data.status === 'canceled') return job;
        throw error;
      }
    }, options);
    return this.#job(canceled);
  }

  /** Erases the images, inputs and prompts of a job. */
  async erase(job: JobRef, options: CallOptions = {}): Promise<void> {
    const path = { id: idOf(job) };
    await this.#calls.call(async (call, failures) => {
      try {
        return await eraseJob({ ...call, path });
      } catch (error) {
        // The response of an earlier attempt was lost.
        if (failures > 0 && hasCode(error, 'erased')) return { data: undefined };
        throw error;
      }
    }, options);
  }

  /** Uploads an image for edits. */
  async upload(source: UploadSource, options: CallOptions = {}): Promise<Upload> {
    return this.#calls.upload(await blobOf(source), options.signal);
  }

  /** Validates a request and estimates its cost. Nothing is stored, queued or paid. */
  estimate(request: ImageRequest | EditRequest, options: CallOptions = {}): Promise<ImagePreview> {
    return this.#calls.estimate(request, options.signal);
  }

  /** Yields the events of a job, or of all jobs, until the stream ends or breaks. Never reconnects. */
  events(
    options: StreamOptions & { readonly job?: JobRef } = {},
  ): AsyncGenerator<StreamStep, void, undefined> {
    const path = options.job === undefined ? '/events' : streamPathOf(idOf(options.job));
    return readStream(this.#transport, path, options);
  }

  /** Submits a job under one key and waits for its images. An error names the key and the job. */
  async #make(
    { idempotencyKey: own, wait = true, timeoutMs = Infinity, ...options }: MakeOptions,
    submit: (call: SubmitCall) => Promise<ImageJob>,
  ): Promise<Job> {
    const idempotencyKey = own === undefined ? createKey() : checkKey(own);
    const deadline = createDeadline(timeoutMs, options.signal);
    const { signal } = deadline;
    let accepted: ImageJob | undefined;
    try {
      accepted = await submit({ key: idempotencyKey, signal, isOwnKey: own !== undefined });
      if (!wait) return this.#job(accepted);
      return hasEnded(accepted)
        ? this.#succeeded(accepted)
        : await this.wait(accepted, { ...options, signal });
    } catch (error) {
      const isTimeout = deadline.hasPassed() && error === signal.reason;
      const failure = isTimeout ? new WaitTimeoutError(accepted?.id, timeoutMs) : error;
      throw withOrigin(failure, { idempotencyKey, jobId: accepted?.id });
    } finally {
      deadline.end();
    }
  }

  #job(job: ImageJob): Job {
    return withDownloads(job, this.#calls.readImage);
  }

  #succeeded(ended: ImageJob): SucceededJob {
    if (ended.status !== 'succeeded') throw new JobEndedError(ended);
    const job = this.#job(ended);
    const [first, ...others] = job.images;
    if (!first) throw new ImagesMissingError(job.id);
    return { ...job, images: [first, ...others] };
  }
}

const idOf = (job: JobRef): string => (typeof job === 'string' ? job : job.id);

/** Adds to an error with which the caller can continue. */
function withOrigin(
  error: unknown,
  origin: { idempotencyKey?: string; jobId?: string | undefined },
): unknown {
  if (!(error instanceof DarkroomError)) return error;
  error.idempotencyKey ??= origin.idempotencyKey;
  error.jobId ??= origin.jobId;
  return error;
}
