import type { OpenAI } from 'openai';
import {
  type CallContext,
  ProviderError,
  type ProviderFailure,
  type ResponseMeta,
  type ResponseSink,
} from '../../../../domain/ports.ts';
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
  /** Takes care of the id before anything else happens. */
  readonly keep: (handle: string) => Promise<void>;
}

/**
 * How long the id is still waited for when the caller gives up after the order was sent. It comes within a second, and
 * without it the work could neither be stopped nor taken up again.
 */
const idGraceMs = 3_000;

/**
 * Orders work in the background: the one request that may cost money. A server that does the work at once, and answers
 * with the image instead of an id to ask for, is taken at its word.
 *
 * @returns the handle of the work, or the head of its answer when that went to the sink already.
 * @throws ProviderError, and what `keep` and `sink` throw.
 */
export async function orderResponse(
  submit: SubmitInput,
): Promise<{ handle: string } | { head: ResponseMeta }> {
  const { connection, context, keep, sink } = submit;
  const running = beginCall(connection, context, idGraceMs);
  try {
    const response = await running.send((options) =>
      connection.client.responses.create(submit.body, options).asResponse(),
    );
    const head = headOf(response);
    const finding = await running.receive(response, submit.maxResponseBytes, (body) =>
      inspectResponse(body, async (whole, id) => {
        if (isHandle(id)) await keep(id);
        await sink(head, whole);
      }),
    );
    if (finding.kind === 'delivered') return { head };
    if (finding.kind === 'failed')
      throw new ProviderError(failureOfResponse(finding.state, head.providerRequestId));
    if (finding.kind === 'unreadable') throw unusable(finding.fault, response.status, head);
    if (!isHandle(finding.id)) throw unusable('it names no response to ask for', response.status, head);
    await keep(finding.id);
    return { handle: finding.id };
  } finally {
    running.end();
  }
}

/** Whether a text can be an id, and so a part of a path. */
function isHandle(id: string | undefined): id is string {
  return id !== undefined && /^[A-Za-z0-9][\w.:-]{0,199}$/.test(id);
}

function unusable(fault: string, status: number, { providerRequestId }: ResponseMeta): ProviderError {
  const provider: ProviderFailure['provider'] = {
    status,
    ...(providerRequestId ? { request_id: providerRequestId } : {}),
  };
  return new ProviderError({
    kind: 'unusable',
    code: 'provider_unusable_answer',
    billing: 'possible',
    message: `The provider's answer cannot be used: ${fault}.`,
    provider,
  });
}
