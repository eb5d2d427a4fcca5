import {
  type CallContext,
  ProviderError,
  type ResponseMeta,
  type ResponseSink,
} from '../../../../domain/ports.ts';
import { sleep } from '../../../../lib/sleep.ts';
import { classifyWhole } from '../client/classify-whole.ts';
import type { OpenAIConnection } from '../client/openai-connection.ts';
import { beginCall, type ProviderCall, responseFacts } from '../client/provider-call.ts';
import { maxStreamedImages } from './decode-event-stream.ts';
import { type DecodeLimits, unusable } from './decoded-response.ts';
import { followBackgroundStream, isHandle } from './follow-background-stream.ts';
import { type Finding, inspectResponse } from './inspect-response.ts';
import { peekStart } from './peek-start.ts';
import { failureOfResponse } from './response-failure.ts';
import { headOf } from './response-head.ts';

interface SubmitInput {
  readonly connection: OpenAIConnection;
  /** Sends the request. */
  readonly send: (running: ProviderCall) => Promise<Response>;
  /** Whether the request is for a stream of events. */
  readonly isStreaming: boolean;
  readonly context: CallContext;
  readonly sink: ResponseSink;
  readonly limits: DecodeLimits;
  /** Stores the id before anything else happens. */
  readonly storeHandle: (handle: string) => Promise<void>;
  /** Polls a response whose id is stored once. Returns whether it has ended; false if the poll fails. */
  readonly hasEnded: (handle: string, signal: AbortSignal) => Promise<boolean>;
  /** Milliseconds between the polls beside a stream. */
  readonly streamPollMs: number;
}

/**
 * Time that a canceled call waits for the id after the request was sent. The id arrives within a second. Without the id, no
 * worker could cancel or resume the call.
 */
const idGraceMs = 3_000;

/**
 * Creates a background response with a single request, which may cost money. If the server works synchronously and sends
 * the image instead of an id to poll, the image is used. A request for previews follows their stream to its end; if it breaks
 * after the id is stored, or stays open after the end of the response, polls bring the image.
 *
 * @returns the handle of the call, or the head of its response if the sink has already received the response.
 * @throws ProviderError, and errors of `storeHandle` and `sink`.
 */
export async function createBackgroundResponse(
  submit: SubmitInput,
): Promise<{ handle: string } | { head: ResponseMeta }> {
  const { connection, context, sink } = submit;
  let stored: string | undefined;
  const storeHandle = async (id: string) => {
    await submit.storeHandle(id);
    stored = id;
  };
  const running = beginCall(connection, context, () => (stored === undefined ? idGraceMs : 0));
  try {
    const response = await submit.send(running);
    const head = headOf(response);
    const provider = responseFacts(response);
    const inspect = (body: AsyncIterable<Uint8Array>) =>
      inspectResponse(body, async (whole, id) => {
        if (isHandle(id)) await storeHandle(id);
        await sink(head, whole);
      });
    const finding = submit.isStreaming
      ? await followStream(running, response, { ...submit, storeHandle, inspect }).catch((error): Finding => {
          if (stored === undefined || !(error instanceof ProviderError)) throw error;
          return { kind: 'in_progress', id: stored };
        })
      : await running.receive(response, submit.limits.maxResponseBytes, inspect);
    if (finding.kind === 'delivered') return { head };
    if (finding.kind === 'failed')
      throw new ProviderError(failureOfResponse(finding.state, head.providerRequestId));
    if (finding.kind === 'unreadable') {
      throw finding.refusal
        ? new ProviderError({ ...finding.refusal, provider: { ...finding.refusal.provider, ...provider } })
        : unusable(finding.fault, { provider });
    }
    if (!isHandle(finding.id)) {
      const stated = classifyWhole(finding.whole, provider);
      if (stated) throw new ProviderError(stated);
      throw unusable('it names no response to poll', { provider });
    }
    if (stored === undefined) await storeHandle(finding.id);
    return { handle: finding.id };
  } finally {
    running.end();
  }
}

interface Streaming extends SubmitInput {
  readonly inspect: (body: AsyncIterable<Uint8Array>) => Promise<Finding>;
}

/**
 * Follows the stream of a response. A server that ignores `stream` sends an object, which is inspected. A stream may fall
 * silent on an open connection, so polls beside it end the call when the response has ended.
 */
function followStream(
  running: ProviderCall,
  response: Response,
  { context, limits, sink, storeHandle, inspect, hasEnded, streamPollMs }: Streaming,
): Promise<Finding> {
  async function endWithResponse(handle: string): Promise<void> {
    const { signal } = running;
    while (!signal.aborted) {
      await sleep(streamPollMs, signal);
      if (!signal.aborted && (await hasEnded(handle, signal))) running.end();
    }
  }
  const head = headOf(response);
  let id: string | undefined;
  const maxBytes = maxStreamedImages * limits.maxResponseBytes;
  return running.receive(response, maxBytes, async (arriving): Promise<Finding> => {
    const { isEventStream, body } = await peekStart(arriving);
    if (!isEventStream) return inspect(body);
    const result = await followBackgroundStream(body, {
      limits,
      context,
      provider: responseFacts(response),
      deliver: (whole) => sink(head, whole),
      async storeHandle(handle) {
        id = handle;
        await storeHandle(handle);
        void endWithResponse(handle);
      },
    });
    return result === 'delivered' ? { kind: 'delivered' } : { kind: 'in_progress', id };
  });
}
