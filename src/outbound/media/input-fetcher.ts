import { Agent, type buildConnector, request } from 'undici';
import { AppError } from '../../domain/errors.ts';
import { maxInputBytes } from '../../domain/input-image.ts';
import type { InputFetcher, LocalFile, Staging } from '../../domain/ports.ts';

export interface InputFetcherOptions {
  readonly staging: Pick<Staging, 'write'>;
  /** Returns the checked URL. @throws AppError `destination_forbidden` */
  readonly checkUrl: (url: string) => URL;
  /** Connects to allowed addresses only. */
  readonly connect: buildConnector.connector;
  readonly userAgent: string;
  /** Resolves after the time, or at once if the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Timeout of one try, from the connection to the last byte. Default 60,000 ms. */
  readonly timeoutMs?: number;
  /** Pauses between tries after a failure that may pass. Default 1 s and 3 s. */
  readonly pausesMs?: readonly number[];
}

const maxHeaderBytes = 16_384;
const defaultTimeoutMs = 60_000;

/** Failure of one try. */
class FetchFailure extends Error {
  readonly mayPass: boolean;

  constructor(message: string, mayPass: boolean, cause?: unknown) {
    super(message, { cause });
    this.mayPass = mayPass;
  }
}

/**
 * Creates a fetcher of the URLs of callers. Every try opens its own connection through the guard, follows no redirect and has
 * one deadline. Failures that may pass are repeated: no connection, no response, 429 and 5xx.
 */
export function createInputFetcher(options: InputFetcherOptions): InputFetcher & { close(): Promise<void> } {
  const { timeoutMs = defaultTimeoutMs, pausesMs = [1_000, 3_000] } = options;
  // Without pipelining no connection is reused, so that every try resolves and checks the name again.
  const dispatcher = new Agent({
    connect: options.connect,
    pipelining: 0,
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });

  async function fetchOnce(url: URL, signal: AbortSignal): Promise<LocalFile> {
    const response = await request(url, {
      dispatcher,
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
      return await options.staging.write(body, { maxBytes: maxInputBytes });
    } finally {
      body.on('error', () => undefined).destroy();
    }
  }

  /** Makes one try. @throws FetchFailure */
  async function attempt(url: URL, outer: AbortSignal): Promise<LocalFile> {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), timeoutMs);
    const leave = () => deadline.abort();
    outer.addEventListener('abort', leave, { once: true });
    if (outer.aborted) leave();
    try {
      return await fetchOnce(url, deadline.signal);
    } catch (error) {
      if (deadline.signal.aborted)
        throw new FetchFailure(`did not arrive within ${timeoutMs} ms`, true, error);
      throw failureOf(error);
    } finally {
      clearTimeout(timer);
      outer.removeEventListener('abort', leave);
    }
  }

  return {
    async fetch(text, signal) {
      for (const pauseMs of [...pausesMs, null]) {
        try {
          return await attempt(options.checkUrl(text), signal);
        } catch (error) {
          const isLast = pauseMs === null || signal.aborted;
          if (error instanceof FetchFailure && (isLast || !error.mayPass)) throw unavailable(error);
          if (!(error instanceof FetchFailure)) throw isForbidden(error) ? unavailable(error) : error;
          await options.sleep(pauseMs ?? 0, signal);
        }
      }
      throw new Error('the last try returns or throws');
    },
    close: () => dispatcher.destroy(),
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
  if (isForbidden(error)) return new FetchFailure('leads to an address that is not public', false, error);
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

const isForbidden = (error: unknown): boolean =>
  error instanceof AppError && error.code === 'destination_forbidden';

/** Returns the public error. It names neither the address nor its host, which may contain credentials. */
function unavailable(cause: unknown): AppError {
  const reason = cause instanceof FetchFailure ? cause.message : 'leads to an address that is not public';
  return new AppError('input_unavailable', { detail: `The address ${reason}.`, cause });
}
