import type { ProviderFailure } from '../../../../domain/ports.ts';
import { rejected, saysQuota, textOf } from '../client/classify-failure.ts';
import { moderationOf } from '../client/moderation-refusal.ts';
import { publicMessage } from '../client/public-message.ts';
import type { ResponseState } from './inspect-response.ts';

/** Error codes of a response that blame what was asked for; with them the same request fails again. */
const aboutTheRequest =
  /^(?:invalid_|unknown_parameter$|unsupported_|model_not_found$|data_residency_mismatch$|bio_policy$)/;

/**
 * Tells what follows from a response that ended without an image. It was accepted, so whether it cost something is
 * known only where the provider says why it made no image: a refusal of the content or of the request, a limit of the
 * account. (What the language model that carried the call read before is some hundred tokens.)
 */
export function failureOfResponse(state: ResponseState, requestId: string | undefined): ProviderFailure {
  const provider = requestId ? { request_id: requestId } : {};
  if (state.status === 'failed') return failed(state.error, provider);
  const reason = state.incomplete_details?.reason;
  if (reason === 'content_filter') return rejected({ error: { code: reason } }, provider, 'by a filter');
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

/** The failure of a call that the provider no longer knows, or never knew. */
export function forgottenResponse(provider: ProviderFailure['provider']): ProviderFailure {
  return {
    kind: 'uncertain',
    code: 'provider_outcome_unknown',
    billing: 'possible',
    message:
      'The provider does not know this call any more: it keeps answers for about ten minutes. The call may have been ' +
      'carried out and charged all the same.',
    provider,
  };
}

function failed(error: unknown, facts: { request_id?: string }): ProviderFailure {
  const [code, type] = [textOf(error, 'code'), textOf(error, 'type')];
  const provider = { ...facts, ...(code ? { code } : {}) };
  const none = { billing: 'none', provider } as const;
  const named = code ? ` (${code})` : '';
  if (saysQuota(code, type)) {
    const message = `The provider account has no credit left or reached its spending limit${named}.`;
    return { kind: 'stopped', code: 'provider_quota_exhausted', message, ...none };
  }
  if (code === 'rate_limit_exceeded' || code === 'slow_down') {
    return {
      kind: 'refused',
      code: 'provider_rate_limited',
      message: `The provider asks to wait${named}.`,
      ...none,
    };
  }
  if (code === 'server_is_overloaded') {
    return {
      kind: 'refused',
      code: 'provider_overloaded',
      message: `The provider is overloaded${named}.`,
      ...none,
    };
  }
  if (moderationOf(error) || type === 'invalid_request_error' || aboutTheRequest.test(code ?? '')) {
    return rejected({ error }, provider, 'without saying why');
  }
  const said = publicMessage(textOf(error, 'message'));
  return {
    kind: 'uncertain',
    code: 'provider_outcome_unknown',
    billing: 'possible',
    message: `The provider failed to finish the call${said ? `: ${said}` : named}. It may have been charged.`,
    provider,
  };
}
