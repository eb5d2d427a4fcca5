import type {
  CallContext,
  ImageProvider,
  ResponseMeta,
  ResponseSink,
  StopReason,
} from '../../../../domain/ports.ts';
import { type Deadline, startDeadline } from '../../../../lib/deadline.ts';
import { createOpenAIConnection } from '../client/openai-connection.ts';
import { beginCall, responseFacts } from '../client/provider-call.ts';
import { checkAccount } from './check-account.ts';
import { createBackgroundResponse } from './create-response.ts';
import { decodeResponseBody } from './decode-response-body.ts';
import { maxImageBytes, unusable } from './decoded-response.ts';
import { followResponse, TooLargeResponse } from './follow-response.ts';
import { inspectResponse } from './inspect-response.ts';
import { responseInHandle } from './link-handle.ts';
import { limitsOf, type OpenAIProviderConfig } from './provider-config.ts';
import { createProviderLinks } from './provider-links.ts';
import { partialImagesOf } from './request-body.ts';
import { headOf } from './response-head.ts';
import { resumeLinks } from './resume-links.ts';
import { submitResponse } from './submit-response.ts';

export interface ResponsesProviderConfig extends OpenAIProviderConfig {
  /** The text model that runs the image tool. */
  readonly hostModelName: string;
  /** Milliseconds before the poll with this number, counted from 1. Default: 1 s at first, up to 3 s. */
  readonly pauseMs?: ((poll: number) => number) | undefined;
  /** Milliseconds between the polls beside a stream of previews. Default: 15 s. */
  readonly streamPollMs?: number | undefined;
  /** Milliseconds for which polls do not find a response before it counts as lost. Default: 60 s. */
  readonly lostAfterMs?: number | undefined;
}

/** A call that the provider has accepted and named. */
interface BackgroundCall {
  readonly handle: string;
  readonly context: CallContext;
  readonly sink: ResponseSink;
}

/** A poll that receives no byte for this long is repeated. */
const silenceTimeoutMs = 15_000;
const cancelTimeoutMs = 3_000;
const defaultLostAfterMs = 60_000;

const defaultPauseMs = (poll: number) => Math.min(3_000, 1_000 + 100 * (poll - 1));

/**
 * Creates a provider that generates images in the background mode of OpenAI's Responses API. The request returns an id at
 * once, which is the handle of the call. The provider then works without a connection and stores the response. Every worker
 * that knows the handle can fetch the response. A worker crash costs nothing, and no connection has to outlast an image.
 *
 * Implements the guarantees of `ImageProvider`: one call is one paid request. Polls are free and are repeated. `check` and
 * `close` behave as in the provider of the Images API.
 */
export function createResponsesProvider(
  config: ResponsesProviderConfig,
): Required<ImageProvider> & { check(): Promise<string>; close(): Promise<void> } {
  const paying = createOpenAIConnection(config);
  const polling = createOpenAIConnection({ ...config, silenceTimeoutMs });
  const limits = limitsOf(config);
  const pauseMs = config.pauseMs ?? defaultPauseMs;
  const fetchLink = createProviderLinks(polling, config.fetchLink);
  const followed = new Set<Deadline>();
  const canceling = new Set<Promise<void>>();

  async function poll({ handle, context, sink }: BackgroundCall, deadline: Deadline) {
    const running = beginCall(polling, { ...context, signal: deadline.signal });
    try {
      const response = await running.send((options) =>
        polling.client.responses.retrieve(handle, {}, options).asResponse(),
      );
      const head = headOf(response);
      const bounded = boundedBody(limits.maxResponseBytes, responseFacts(response));
      const finding = await running
        .receive(response, Number.POSITIVE_INFINITY, (body) =>
          inspectResponse(bounded.read(body), (whole) => sink(head, whole)),
        )
        .catch((error) => {
          throw bounded.fault() ?? error;
        });
      return { head, finding };
    } finally {
      running.end();
    }
  }

  /** Reads only the status of a call, not its image. The signal of the call ends the poll with its stream. */
  async function hasEnded(handle: string, context: CallContext): Promise<boolean> {
    const running = beginCall(polling, { ...context, timeoutMs: silenceTimeoutMs });
    try {
      const response = await running.send((options) =>
        polling.client.responses.retrieve(handle, {}, options).asResponse(),
      );
      const { kind } = await running.receive(response, limits.maxResponseBytes, (body) =>
        inspectResponse(body, async () => {}),
      );
      return kind === 'delivered' || kind === 'failed';
    } catch {
      // The stream goes on until its deadline.
      return false;
    } finally {
      running.end();
    }
  }

  /** @param firstPauseMs pause before the first poll: none for a response that may have ended long ago. */
  async function follow(call: BackgroundCall, firstPauseMs: number): Promise<ResponseMeta> {
    const { handle, context } = call;
    const { timeoutMs } = context;
    const deadline = startDeadline(context.signal, timeoutMs);
    followed.add(deadline);
    try {
      return await followResponse({
        poll: () => poll(call, deadline),
        deadline,
        timeoutMs,
        pauseMs: (count) => (count === 0 ? firstPauseMs : pauseMs(count)),
        lostAfterMs: config.lostAfterMs ?? defaultLostAfterMs,
      });
    } catch (error) {
      if (deadline.reason() !== null && !isHandingOver(context.signal)) await stop(handle);
      throw error;
    } finally {
      followed.delete(deadline);
      deadline.release();
    }
  }

  async function stop(handle: string): Promise<void> {
    const { signal } = new AbortController();
    const running = beginCall(polling, { signal, timeoutMs: cancelTimeoutMs, clientRequestId: handle });
    try {
      await running.send((options) => polling.client.responses.cancel(handle, options).asResponse());
    } catch {
      // Ignored, because the charge is unknown either way.
    } finally {
      running.end();
    }
  }

  /** Cancels the call if its handle is rejected, because the job belongs to another run and the call would cost money. */
  async function storeHandle(handle: string, context: CallContext): Promise<void> {
    try {
      await context.onHandle?.(handle);
    } catch (error) {
      await stop(handle);
      throw error;
    }
  }

  function cancel(handle: string): void {
    if (responseInHandle(handle)) return;
    const stopping = stop(handle);
    canceling.add(stopping);
    void stopping.then(() => canceling.delete(stopping));
  }

  return {
    name: config.name,

    async generate(call, context, sink) {
      const startedAt = performance.now();
      const submit = await createBackgroundResponse({
        connection: paying,
        isStreaming: partialImagesOf(call) > 0,
        send: (running) =>
          submitResponse(paying.client, running, { call, hostModelName: config.hostModelName }),
        context,
        sink,
        limits,
        storeHandle: (handle) => storeHandle(handle, context),
        hasEnded: (handle, signal) => hasEnded(handle, { ...context, signal }),
        streamPollMs: config.streamPollMs ?? silenceTimeoutMs,
      });
      if ('head' in submit) return submit.head;
      const { handle } = submit;
      // Polling has a separate deadline, because storing the handle may have had to wait for the ledger.
      if (partialImagesOf(call) === 0) return follow({ handle, context, sink }, pauseMs(1));
      // A stream takes as long as the image, so only the rest of the time is left.
      const timeoutMs = Math.max(1, context.timeoutMs - (performance.now() - startedAt));
      return follow({ handle, context: { ...context, timeoutMs }, sink }, 0);
    },

    resume: (handle, context, sink) =>
      responseInHandle(handle)
        ? resumeLinks({ handle, context, sink, fetchLink, maxBytes: maxImageBytes(limits) })
        : follow({ handle, context, sink }, 0),
    cancel,
    check: () => checkAccount(polling),
    decode: (response, memory) => decodeResponseBody(response, limits, memory),
    async close() {
      for (const deadline of followed) deadline.stop();
      await Promise.all(canceling);
      await Promise.all([paying.close(), polling.close()]);
    },
  };
}

/** Limits the bytes of a polled response. Its `fault` is the error of a body that was too large. */
function boundedBody(maxBytes: number, provider: ReturnType<typeof responseFacts>) {
  let fault: TooLargeResponse | undefined;
  return {
    async *read(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
      let total = 0;
      for await (const chunk of body) {
        total += chunk.byteLength;
        if (total > maxBytes) {
          fault = new TooLargeResponse(unusable(`it is larger than ${maxBytes} bytes`, { provider }).failure);
          throw fault;
        }
        yield chunk;
      }
    },
    fault: () => fault,
  };
}

/** Returns whether the caller leaves the call to another run that resumes it. */
function isHandingOver({ aborted, reason }: AbortSignal): boolean {
  return aborted && (['draining', 'lock_lost'] satisfies StopReason[]).includes(reason);
}
