import { type Dispatcher, request } from 'undici';
import { AppError } from '../../domain/errors.ts';
import { maxInputBytes } from '../../domain/input-image.ts';
import type { InputFetcher, LocalFile, Staging } from '../../domain/ports.ts';

export interface InputFetcherOptions {
  readonly staging: Pick<Staging, 'write'>;
  readonly guard: { checkUrl(url: string): URL };
  /** Connects to allowed addresses only, once for each request. */
  readonly dispatcher: Dispatcher;
  readonly userAgent: string;
  /** Resolves after the time, or at once if the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

type FetchOptions = Parameters<InputFetcher['fetch']>[1];

/** Pauses between tries after a failure that may pass. */
const pausesMs: readonly number[] = [1_000, 3_000];

/** Failure of one try. */
class FetchFailure extends Error {
  readonly mayPass: boolean;

  constructor(message: string, mayPass: boolean, cause?: unknown) {
    super(message, { cause });
    this.mayPass = mayPass;
  }
}

/**
 * Creates a fetcher of the URLs of callers. Every try opens its own connection through the guard and follows no redirect.
 * Failures that may pass are repeated: no connection, no complete response, 429 and 5xx.
 */
export function createInputFetcher(options: InputFetcherOptions): InputFetcher {
  const { guard } = options;

  async function fetchOnce(url: URL, { tenant, signal }: FetchOptions): Promise<LocalFile> {
    const response = await request(url, {
      dispatcher: options.dispatcher,
      headers: {
        'user-agent': options.userAgent,
        accept: 'image/png, image/jpeg, image/webp',
        'accept-encoding': 'identity',
      },
      signal,
    });
    const { statusCode: status, headers, body } = response;
    try {
      const fault = faultOf(status, headers);
      if (fault) throw fault;
      return await options.staging.write(body, { maxBytes: maxInputBytes, tenant });
    } finally {
      body.on('error', () => undefined).destroy();
    }
  }

  /** Makes one try. @throws FetchFailure */
  async function attempt(text: string, of: FetchOptions): Promise<LocalFile> {
    try {
      return await fetchOnce(guard.checkUrl(text), of);
    } catch (error) {
      if (of.signal.aborted) throw new FetchFailure('did not arrive in time', true, error);
      throw failureOf(error);
    }
  }

  return {
    async fetch(text, of) {
      const { signal } = of;
      for (let tries = 0; ; tries += 1) {
        try {
          return await attempt(text, of);
        } catch (error) {
          if (!(error instanceof FetchFailure)) throw error;
          const pauseMs = pausesMs[tries];
          if (pauseMs === undefined || signal.aborted || !error.mayPass) throw publicError(error);
          await options.sleep(pauseMs, signal);
          if (signal.aborted) throw publicError(error);
        }
      }
    },
  };
}

function faultOf(
  status: number,
  headers: Record<string, string | string[] | undefined>,
): FetchFailure | null {
  if (status >= 300 && status < 400) {
    return new FetchFailure(
      `responded with ${status}. Redirects are not followed: send the final address`,
      false,
    );
  }
  if (status !== 200) {
    return new FetchFailure(`responded with ${status}`, status === 429 || status >= 500);
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity')
    return new FetchFailure('is compressed although no compression was accepted', false);
  const length = Number(headers['content-length'] ?? 0);
  return length > maxInputBytes ? new FetchFailure(`is larger than ${maxInputBytes} bytes`, false) : null;
}

function failureOf(error: unknown): unknown {
  if (error instanceof FetchFailure) return error;
  if (error instanceof AppError && error.code === 'destination_forbidden')
    return new FetchFailure('leads to an address that is not public', false, error);
  if (error instanceof AppError && error.code === 'payload_too_large') {
    return new FetchFailure(`is larger than ${maxInputBytes} bytes`, false, error);
  }
  // The disk of this worker failed, which says nothing about the address.
  if (error instanceof AppError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  return new FetchFailure(
    code === 'ENOTFOUND' ? 'has an unknown host name' : 'could not be fetched',
    true,
    error,
  );
}

/**
 * Returns the public error, which is retryable only if the failure may pass. It names neither the address nor its host,
 * which may contain credentials.
 */
function publicError(cause: FetchFailure): AppError {
  const members = cause.mayPass ? {} : { retryable: false };
  return new AppError('input_unavailable', { detail: `The address ${cause.message}.`, members, cause });
}
