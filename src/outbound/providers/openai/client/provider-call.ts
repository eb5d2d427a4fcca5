import { APIError, type OpenAI } from 'openai';
import { type CallContext, ProviderError, type ProviderFailure } from '../../../../domain/ports.ts';
import { classifyBreak } from './classify-break.ts';
import { classifyResponse, requestIdOf } from './classify-failure.ts';
import { startDeadline } from './deadline.ts';
import type { OpenAIConnection } from './openai-connection.ts';
import { carrying, createSingleRequest, type SingleRequest } from './single-request.ts';

/** One call to a provider under one deadline, from the connection to the last byte of the body. */
export interface ProviderCall {
  /**
   * Makes the request. `request` must hand the options on to the client and make no second request.
   *
   * @returns the answer, whose status is 2xx.
   * @throws ProviderError
   */
  send(request: (options: OpenAI.RequestOptions) => Promise<Response>): Promise<Response>;
  /**
   * Hands the body of an answer to `take` as it arrives.
   *
   * @throws ProviderError when the body breaks off, is too large or misses the deadline; what `take` throws by itself
   * comes out as it is.
   */
  receive<T>(
    response: Response,
    maxBytes: number,
    take: (body: AsyncIterable<Uint8Array>) => Promise<T>,
  ): Promise<T>;
  /** Closes the socket if it is still open and lets go of everything. Always call it. */
  end(): void;
}

const maxRefusalBytes = 256 * 1024;
/** So that the client's own timer, which tells less about what happened, never falls before ours. */
const clientTimerGraceMs = 5_000;

/**
 * Starts the deadline of a call; see `ProviderCall`.
 *
 * @param graceMs how long an answer is still waited for when the caller gives up after the request was sent.
 */
export function beginCall(connection: OpenAIConnection, context: CallContext, graceMs = 0): ProviderCall {
  const single = createSingleRequest(connection.agent, maxRefusalBytes);
  const deadline = startDeadline(context.signal, context.timeoutMs, () => (single.started() ? graceMs : 0));

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
    async send(request) {
      if (deadline.signal.aborted) throw broken(undefined);
      try {
        return await request(requestOptions(context, deadline.signal, single));
      } catch (error) {
        // Anything else is a fault of ours, and no reason to ask the provider again.
        if (!(error instanceof APIError)) throw error;
        if (error.status === undefined) throw broken(error);
        throw new ProviderError(failureOf(error, single.refusal(), connection), error);
      }
    },

    async receive(response, maxBytes, take) {
      const provider = responseFacts(response);
      const arriving = single.body();
      if (!arriving) throw new ProviderError(unusableBody(provider, 'has no body'));
      let failure: ProviderError | undefined;
      const body = limited(arriving, maxBytes, (cause) => {
        failure =
          cause === 'too_large'
            ? new ProviderError(unusableBody(provider, `is larger than ${maxBytes} bytes`))
            : broken(cause.error, provider);
        return failure;
      });
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
      // Base64 hardly shrinks, and unpacking it costs more than receiving it.
      'Accept-Encoding': 'identity',
      ...(context.traceparent ? { traceparent: context.traceparent } : {}),
    },
  };
}

type Break = 'too_large' | { readonly error: unknown };

async function* limited(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  fail: (cause: Break) => ProviderError,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = body[Symbol.asyncIterator]();
  let total = 0;
  try {
    while (true) {
      const next = await chunks.next().catch((error: unknown) => {
        throw fail({ error });
      });
      if (next.done) return;
      total += next.value.byteLength;
      if (total > maxBytes) throw fail('too_large');
      yield next.value;
    }
  } finally {
    // Closes the socket when the reader stops early; after the end it does nothing.
    await chunks.return?.().catch(() => undefined);
  }
}

const shortestKey = 12;

/** @param refusal the body. The client shows only its member `error`, and gateways put the reason elsewhere. */
function failureOf(
  error: APIError,
  refusal: string | undefined,
  { client, clock }: OpenAIConnection,
): ProviderFailure {
  const header = (name: string) => error.headers?.get(name) ?? null;
  const failure = classifyResponse({ status: error.status ?? 0, header, body: bodyOf(refusal) }, clock());
  // A gateway may echo a key that looks like none; a word that is none stands for a provider that needs no key.
  const isKey = client.apiKey !== null && client.apiKey.length >= shortestKey;
  return isKey
    ? { ...failure, message: failure.message.replaceAll(`${client.apiKey}`, '[redacted]') }
    : failure;
}

function bodyOf(refusal: string | undefined): unknown {
  try {
    return JSON.parse(refusal ?? '');
  } catch {
    return refusal;
  }
}

function responseFacts(response: Response): NonNullable<ProviderFailure['provider']> {
  const requestId = requestIdOf((name) => response.headers.get(name));
  return { status: response.status, ...(requestId ? { request_id: requestId } : {}) };
}

function unusableBody(provider: ProviderFailure['provider'], fault: string): ProviderFailure {
  const message = `The provider's answer ${fault}.`;
  return { kind: 'unusable', code: 'provider_unusable_answer', billing: 'possible', message, provider };
}

/** The code of the innermost error that has one; `fetch` and the client wrap it several times. */
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
