import type { Readable } from 'node:stream';
import { APIError, type OpenAI } from 'openai';
import { type CallContext, ProviderError, type ProviderFailure } from '../../../../domain/ports.ts';
import { startDeadline } from '../../../../lib/deadline.ts';
import { withoutKey } from '../../redact-key.ts';
import { classifyBreak } from './classify-break.ts';
import { classifyResponse, requestIdOf } from './classify-failure.ts';
import type { OpenAIConnection } from './openai-connection.ts';
import { readAhead } from './read-ahead.ts';
import { carrying, createSingleRequest, type SingleRequest } from './single-request.ts';

/** The body of a response while it arrives. It can be read once. */
export interface ArrivingBody extends AsyncIterable<Uint8Array> {
  /** Records that the bytes so far are enough. A later break, silence or excess counts as the end of the body. */
  acceptEnd(): void;
}

/** One call to a provider under one deadline, from the connection to the last byte of the body. */
export interface ProviderCall {
  /** Aborts at the deadline of the call, and if the caller cancels it. */
  readonly signal: AbortSignal;
  /**
   * Makes the request. `request` must pass the options to the client and make no second request.
   *
   * @returns the response, whose status is 2xx.
   * @throws ProviderError
   */
  send(request: (options: OpenAI.RequestOptions) => Promise<Response>): Promise<Response>;
  /**
   * Passes the body of a response to `take` while it arrives.
   *
   * @throws ProviderError if the body breaks off, is too large or misses the deadline. Errors of `take` are rethrown.
   */
  receive<T>(response: Response, maxBytes: number, take: (body: ArrivingBody) => Promise<T>): Promise<T>;
  /** Closes the socket if it is still open and releases all resources. The caller must always call it. */
  end(): void;
}

const maxRefusalBytes = 256 * 1024;
/** Delay of the client's own timer after our deadline. Our deadline fires first, because its reason is more precise. */
const clientTimerGraceMs = 5_000;

/**
 * Starts the deadline of a call, see `ProviderCall`.
 *
 * @param graceMs returns the time to wait for the response if the caller cancels after the request was sent, in milliseconds.
 *   Called when the caller cancels. Default 0.
 */
export function beginCall(
  connection: OpenAIConnection,
  context: CallContext,
  graceMs: () => number = () => 0,
): ProviderCall {
  const single = createSingleRequest(connection.agent, maxRefusalBytes);
  const deadline = startDeadline(context.signal, context.timeoutMs, () => (single.started() ? graceMs() : 0));

  const broken = (cause: unknown, provider?: ProviderFailure['provider']) =>
    new ProviderError(
      classifyBreak({
        sent: single.started(),
        reason: deadline.reason() ?? 'broken',
        timeoutMs: context.timeoutMs,
        transportCode: transportCode(single.failure() ?? cause),
        provider,
      }),
      single.failure() ?? cause,
    );

  return {
    signal: deadline.signal,

    async send(request) {
      if (deadline.signal.aborted) throw broken(undefined);
      try {
        return await request(requestOptions(context, deadline.signal, single));
      } catch (error) {
        // Any other error is a defect of this service, so a retry of the provider would not help.
        if (!(error instanceof APIError)) throw error;
        if (error.status === undefined) throw broken(error);
        throw new ProviderError(failureOf(error, single.refusal(), connection), error);
      }
    },

    async receive(response, maxBytes, take) {
      const provider = responseFacts(response);
      const arriving = single.body() as Readable | undefined;
      if (!arriving) throw new ProviderError(unusableBody(provider, 'has no body'));
      let failure: ProviderError | undefined;
      const fail = (cause: Break) => {
        if (cause === 'empty') failure = new ProviderError(unusableBody(provider, 'is empty'));
        else if (cause === 'too_large')
          failure = new ProviderError(unusableBody(provider, `is larger than ${maxBytes} bytes`));
        else failure = broken(cause.error, provider);
        return failure;
      };
      const body = limited(arriving, { maxBytes, statesEnd: statesEnd(response), fail });
      const taken = await take(body).catch((error: unknown) => {
        throw failure ?? error;
      });
      if (failure) throw failure;
      return taken;
    },

    end() {
      deadline.stop();
      deadline.release();
    },
  };
}

function requestOptions(
  context: CallContext,
  signal: AbortSignal,
  single: SingleRequest,
): OpenAI.RequestOptions {
  return {
    signal,
    timeout: Math.ceil(Math.max(1, Math.min(context.timeoutMs, 2 ** 30))) + clientTimerGraceMs,
    maxRetries: 0,
    fetchOptions: carrying(single),
    headers: {
      'X-Client-Request-Id': context.clientRequestId,
      // Compression is not worthwhile, because base64 hardly shrinks and decompressing it costs more than receiving it.
      'Accept-Encoding': 'identity',
      ...(context.traceparent ? { traceparent: context.traceparent } : {}),
    },
  };
}

type Break = 'too_large' | 'empty' | { readonly error: unknown };

interface Limits {
  readonly maxBytes: number;
  /** Whether the server states the end of the body, so that an empty body is complete. */
  readonly statesEnd: boolean;
  readonly fail: (cause: Break) => ProviderError;
}

/** Returns whether a body without a byte is complete. Without these headers it ends when the connection closes. */
const statesEnd = ({ headers }: Response) =>
  headers.has('content-length') || headers.has('transfer-encoding');

/** Size of the chunks that wait for a slow reader. Larger images are received at the speed of the reader. */
const maxAheadBytes = 1024 * 1024;
/** Time for the end of a body whose bytes are enough, in milliseconds. A connection that ends in time is reused. */
const endGraceMs = 500;

function limited(stream: Readable, { maxBytes, statesEnd, fail }: Limits): ArrivingBody {
  let isEnough = false;

  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const ahead = readAhead(stream, maxAheadBytes);
    let total = 0;
    try {
      while (true) {
        const chunk = await ahead.next().catch((error: unknown) => {
          if (isEnough) return null;
          throw fail({ error });
        });
        if (chunk === null && total === 0 && statesEnd) throw fail('empty');
        if (chunk === null) return;
        total += chunk.byteLength;
        if (total > maxBytes && isEnough) return;
        if (total > maxBytes) throw fail('too_large');
        yield chunk;
      }
    } finally {
      if (isEnough) await ahead.ended(endGraceMs);
      // Closes the socket, because the reader may stop early. It has no effect after the end of the body.
      ahead.close();
    }
  }

  return {
    acceptEnd() {
      isEnough = true;
    },
    [Symbol.asyncIterator]: chunks,
  };
}

/** @param refusal the body. The client exposes only its member `error`, but gateways state the reason elsewhere. */
function failureOf(
  error: APIError,
  refusal: string | undefined,
  { client, clock }: OpenAIConnection,
): ProviderFailure {
  const header = (name: string) => error.headers?.get(name) ?? null;
  // The key is removed before the body is read, because a message that was cut or cleaned may have only a part of it.
  const body = withoutKey(bodyOf(refusal), client.apiKey ?? '');
  return classifyResponse({ status: error.status ?? 0, header, body }, clock());
}

function bodyOf(refusal: string | undefined): unknown {
  try {
    return JSON.parse(refusal ?? '');
  } catch {
    return refusal;
  }
}

/** Returns the facts of a response that the description of its failure names. */
export function responseFacts(response: Response): NonNullable<ProviderFailure['provider']> {
  const requestId = requestIdOf((name) => response.headers.get(name));
  return { status: response.status, ...(requestId ? { request_id: requestId } : {}) };
}

function unusableBody(provider: ProviderFailure['provider'], fault: string): ProviderFailure {
  const message = `The provider's response ${fault}.`;
  return { kind: 'unusable', code: 'provider_unusable_answer', billing: 'possible', message, provider };
}

/** Returns the code of the innermost error with a code. `fetch` and the client wrap that error several times. */
function transportCode(error: unknown): string | undefined {
  let found: string | undefined;
  let current = error;
  for (let depth = 0; depth < 8 && current instanceof Error; depth += 1) {
    const code: unknown = Reflect.get(current, 'code');
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code)) found = code;
    current = current.cause;
  }
  return found;
}
