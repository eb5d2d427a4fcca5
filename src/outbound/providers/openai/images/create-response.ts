import type { OpenAI } from 'openai';
import {
  type CallContext,
  ProviderError,
  type ResponseMeta,
  type ResponseSink,
} from '../../../../domain/ports.ts';
import { classifyStatedError } from '../client/classify-failure.ts';
import type { OpenAIConnection } from '../client/openai-connection.ts';
import { beginCall } from '../client/provider-call.ts';
import { inspectResponse } from './inspect-response.ts';
import { failureOfResponse } from './response-failure.ts';
import { headOf } from './response-head.ts';

interface SubmitInput {
  readonly connection: OpenAIConnection;
  readonly body: OpenAI.Responses.ResponseCreateParamsNonStreaming;
  readonly context: CallContext;
  readonly sink: ResponseSink;
  readonly maxResponseBytes: number;
  /** Stores the id before anything else happens. */
  readonly storeHandle: (handle: string) => Promise<void>;
}

/**
 * Time that a canceled call waits for the id after the request was sent. The id arrives within a second. Without the id, no
 * worker could cancel or resume the call.
 */
const idGraceMs = 3_000;

/**
 * Creates a background response with a single request, which may cost money. If the server works synchronously and sends
 * the image instead of an id to poll, the image is used.
 *
 * @returns the handle of the call, or the head of its response if the sink has already received the response.
 * @throws ProviderError, and errors of `storeHandle` and `sink`.
 */
export async function createBackgroundResponse(
  submit: SubmitInput,
): Promise<{ handle: string } | { head: ResponseMeta }> {
  const { connection, context, storeHandle, sink } = submit;
  const running = beginCall(connection, context, idGraceMs);
  try {
    const response = await running.send((options) =>
      connection.client.responses.create(submit.body, options).asResponse(),
    );
    const head = headOf(response);
    const finding = await running.receive(response, submit.maxResponseBytes, (body) =>
      inspectResponse(body, async (whole, id) => {
        if (isHandle(id)) await storeHandle(id);
        await sink(head, whole);
      }),
    );
    if (finding.kind === 'delivered') return { head };
    if (finding.kind === 'failed')
      throw new ProviderError(failureOfResponse(finding.state, head.providerRequestId));
    if (finding.kind === 'unreadable') throw unusable(finding.fault, response.status, head);
    if (!isHandle(finding.id)) {
      const stated = classifyStatedError(finding.error, providerOf(response.status, head));
      if (stated) throw new ProviderError(stated);
      throw unusable('it names no response to poll', response.status, head);
    }
    await storeHandle(finding.id);
    return { handle: finding.id };
  } finally {
    running.end();
  }
}

/** Returns whether a text can be an id, and so a part of a path. */
function isHandle(id: string | undefined): id is string {
  return id !== undefined && /^[A-Za-z0-9][\w.:-]{0,199}$/.test(id);
}

const providerOf = (status: number, { providerRequestId }: ResponseMeta) => ({
  status,
  ...(providerRequestId ? { request_id: providerRequestId } : {}),
});

function unusable(fault: string, status: number, head: ResponseMeta): ProviderError {
  const provider = providerOf(status, head);
  return new ProviderError({
    kind: 'unusable',
    code: 'provider_unusable_answer',
    billing: 'possible',
    message: `The provider's response cannot be used: ${fault}.`,
    provider,
  });
}
