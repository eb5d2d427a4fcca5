import type { ProviderFailure } from '../../../../domain/ports.ts';
import { classifyReason, classifyStatedError } from '../client/classify-failure.ts';
import { classifyWhole } from '../client/classify-whole.ts';
import { readErrorFacts } from '../client/error-facts.ts';
import { publicMessage } from '../client/public-message.ts';
import type { ResponseState } from './inspect-response.ts';

/**
 * Classifies a background response that ended without an image. The provider accepted the request, so the charge is known
 * only if the provider states the reason. Known reasons are a refusal of the content or of the request, and a limit of the
 * account. The input of the host model is not counted, because it costs a fraction of an image.
 */
export function failureOfResponse(state: ResponseState, requestId: string | undefined): ProviderFailure {
  const provider = requestId ? { request_id: requestId } : {};
  if (state.status === 'failed')
    return (state.error ? null : classifyWhole(state, provider)) ?? failed(state.error, provider);
  const reason = state.incomplete_details?.reason;
  const stated = reason ? classifyReason(reason, provider) : null;
  if (stated) return stated;
  const end =
    state.status === 'cancelled'
      ? 'The call was canceled at the provider before its image was finished.'
      : `The provider ended the call without an image${reason ? ` (${reason.slice(0, 100)})` : ''}.`;
  return {
    kind: 'unusable',
    code: 'provider_unusable_answer',
    billing: state.usage ? 'charged' : 'possible',
    message: state.usage ? end : `${end} It may have been charged.`,
    provider,
  };
}

/** Describes a call that the provider no longer knows, or never knew. */
export function forgottenResponse(provider: ProviderFailure['provider']): ProviderFailure {
  return {
    kind: 'uncertain',
    code: 'provider_outcome_unknown',
    billing: 'possible',
    message:
      'The provider does not know this call: it stores responses for a limited time. The call may have been carried ' +
      'out and charged.',
    provider,
  };
}

function failed(error: unknown, facts: { request_id?: string }): ProviderFailure {
  const stated = classifyStatedError(error, facts);
  if (stated) return stated;
  const { code, message } = readErrorFacts(error);
  const said = publicMessage(message);
  const named = code ? ` (${code})` : '';
  return {
    kind: 'uncertain',
    code: 'provider_outcome_unknown',
    billing: 'possible',
    message: `The provider failed to finish the call${said ? `: ${said}` : named}. It may have been charged.`,
    provider: { ...facts, ...(code ? { code } : {}) },
  };
}
