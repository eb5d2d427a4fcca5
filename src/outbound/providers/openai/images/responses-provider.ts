import type {
  CallContext,
  ImageProvider,
  ResponseMeta,
  ResponseSink,
  StopReason,
} from '../../../../domain/ports.ts';
import { type Deadline, startDeadline } from '../client/deadline.ts';
import { createOpenAIConnection } from '../client/openai-connection.ts';
import { beginCall } from '../client/provider-call.ts';
import { checkAccount } from './check-account.ts';
import { orderResponse } from './create-response.ts';
import { decodeResponseBody } from './decode-response-body.ts';
import { followResponse } from './follow-response.ts';
import { inspectResponse } from './inspect-response.ts';
import { limitsOf, type OpenAIProviderConfig } from './provider-config.ts';
import { backgroundBody } from './request-body.ts';
import { headOf } from './response-head.ts';

export interface ResponsesProviderConfig extends OpenAIProviderConfig {
  /** The language model that carries the calls. */
  readonly hostModelName: string;
  /** Milliseconds before the question with this number, counted from 1; from 1 s at first up to 3 s by default. */
  readonly pauseMs?: ((question: number) => number) | undefined;
}

/** A question that gets no byte for this long is asked again. */
const silenceTimeoutMs = 15_000;
const cancelTimeoutMs = 3_000;

const defaultPauseMs = (question: number) => Math.min(3_000, 1_000 + 100 * (question - 1));

/**
 * Images as background work of OpenAI's Responses API. The order is answered at once with an id, the handle of the
 * call; the provider then works on by itself and keeps the answer for about ten minutes, in which anybody who knows the
 * handle can fetch it. So the death of a worker costs nothing, and no connection has to last as long as an image takes.
 *
 * Keeps the promises of `ImageProvider`: one call is one order, whatever comes back; questions after it are free and
 * repeated. `check` and `close` are those of the Images API's provider.
 */
export function createResponsesProvider(
  config: ResponsesProviderConfig,
): Required<ImageProvider> & { check(): Promise<string>; close(): Promise<void> } {
  const paying = createOpenAIConnection(config);
  const asking = createOpenAIConnection({ ...config, silenceTimeoutMs });
  const limits = limitsOf(config);
  const pauseMs = config.pauseMs ?? defaultPauseMs;
  const followed = new Set<Deadline>();
  const abandoned = new Set<Promise<void>>();

  async function look(handle: string, context: CallContext, sink: ResponseSink, deadline: Deadline) {
    const running = beginCall(asking, { ...context, signal: deadline.signal });
    try {
      const response = await running.send((options) =>
        asking.client.responses.retrieve(handle, {}, options).asResponse(),
      );
      const head = headOf(response);
      const finding = await running.receive(response, limits.maxResponseBytes, (body) =>
        inspectResponse(body, (whole) => sink(head, whole)),
      );
      return { head, finding };
    } finally {
      running.end();
    }
  }

  /** @param firstPauseMs before the first question: none for a response that may have ended long ago. */
  async function follow(
    handle: string,
    context: CallContext,
    sink: ResponseSink,
    firstPauseMs: number,
  ): Promise<ResponseMeta> {
    const { timeoutMs } = context;
    const deadline = startDeadline(context.signal, timeoutMs);
    followed.add(deadline);
    try {
      return await followResponse({
        look: () => look(handle, context, sink, deadline),
        deadline,
        timeoutMs,
        pauseMs: (question) => (question === 0 ? firstPauseMs : pauseMs(question)),
      });
    } catch (error) {
      if (deadline.reason() !== null && !isHandedOn(context.signal)) await stop(handle);
      throw error;
    } finally {
      followed.delete(deadline);
      deadline.release();
    }
  }

  async function stop(handle: string): Promise<void> {
    const { signal } = new AbortController();
    const running = beginCall(asking, { signal, timeoutMs: cancelTimeoutMs, clientRequestId: handle });
    try {
      await running.send((options) => asking.client.responses.cancel(handle, options).asResponse());
    } catch {
      // Nothing is lost: whether it was charged is unknown either way.
    } finally {
      running.end();
    }
  }

  /** A handle that is not wanted, because the job belongs to somebody else by now, must not go on costing money. */
  async function keep(handle: string, context: CallContext): Promise<void> {
    try {
      await context.onHandle?.(handle);
    } catch (error) {
      await stop(handle);
      throw error;
    }
  }

  function cancel(handle: string): void {
    const stopping = stop(handle);
    abandoned.add(stopping);
    void stopping.then(() => abandoned.delete(stopping));
  }

  return {
    name: config.name,

    async generate(call, context, sink) {
      const submit = await orderResponse({
        connection: paying,
        body: backgroundBody(call, config.hostModelName),
        context,
        sink,
        maxResponseBytes: limits.maxResponseBytes,
        keep: (handle) => keep(handle, context),
      });
      if ('head' in submit) return submit.head;
      // A deadline of its own: keeping the handle may have had to wait for the ledger.
      return follow(submit.handle, context, sink, pauseMs(1));
    },

    resume: (handle, context, sink) => follow(handle, context, sink, 0),
    cancel,
    check: () => checkAccount(asking),
    decode: (response, memory) => decodeResponseBody(response, limits, memory),
    async close() {
      for (const deadline of followed) deadline.stop();
      await Promise.all(abandoned);
      await Promise.all([paying.close(), asking.close()]);
    },
  };
}

/** Whether whoever gave up leaves the call to somebody who takes it up again. */
function isHandedOn({ aborted, reason }: AbortSignal): boolean {
  return aborted && (['draining', 'lock_lost'] satisfies StopReason[]).includes(reason);
}
