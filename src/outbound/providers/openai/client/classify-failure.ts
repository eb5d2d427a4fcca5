import type { ErrorCode } from '../../../../domain/errors.ts';
import type { ProviderFailure } from '../../../../domain/ports.ts';
import { moderationOf } from './moderation-refusal.ts';
import { publicMessage } from './public-message.ts';
import { type ReadHeader, retryAfterMs } from './retry-after.ts';

/** An answer of a provider with a status other than 2xx. */
export interface RefusedResponse {
  readonly status: number;
  readonly header: ReadHeader;
  /** The member `error` of the body where the body is JSON. */
  readonly error: unknown;
  /** The body where it is not JSON. */
  readonly text?: string | undefined;
}

/** A call that ended without a status, or in the middle of a good answer. */
export interface BrokenCall {
  /** Whether a byte of the request may have left. */
  readonly sent: boolean;
  readonly reason: 'canceled' | 'timeout' | 'broken';
  readonly timeoutMs: number;
  /** What the transport said, for example `ECONNREFUSED`. */
  readonly transportCode?: string | undefined;
  /** What is known of the answer when its body broke off. */
  readonly provider?: ProviderFailure['provider'];
}

const quotaCodes = new Set([
  'credit_balance_exhausted',
  'organization_spend_limit_exceeded',
  'project_spend_limit_exceeded',
  'organization_usage_limit_exceeded',
  'insufficient_quota',
  'billing_hard_limit_reached',
  'billing_not_active',
]);

/**
 * Tells what follows from a provider's refusal: for the retry, for the money and for the person who reads it.
 *
 * Decided on `error.code` before the status, because 429 stands for "wait a second" and for "no credit left" alike.
 * What was provably not accepted costs nothing; of a 5xx other than 503 nobody knows.
 */
export function classifyResponse(response: RefusedResponse, nowMs: number): ProviderFailure {
  const { status } = response;
  const code = textOf(response.error, 'code');
  const provider = providerOf(response, code);
  const none = { billing: 'none', provider } as const;
  const named = code ? `${status} ${code}` : `${status}`;

  if (isQuota(status, code, textOf(response.error, 'type'))) {
    const message = `The provider account has no credit left or reached its spending limit (${named}).`;
    return { kind: 'stopped', code: 'provider_quota_exhausted', message, ...none };
  }
  if (status === 403 && isAboutModel(code, textOf(response.error, 'type'))) {
    return rejected(response, provider, `with status ${status}`);
  }
  if (status === 401 || status === 403) {
    const message = `The provider refused the API key of this deployment (${named}). Its operator has to act.`;
    return { kind: 'stopped', code: 'provider_unauthorized', message, ...none };
  }
  if (status === 429 || status === 503) {
    const waitMs = retryAfterMs(response.header, nowMs);
    const wait = waitMs === undefined ? {} : { retryAfterMs: waitMs };
    return status === 429
      ? refused('provider_rate_limited', `The provider asks to wait (${named}).`, { ...none, ...wait })
      : refused('provider_overloaded', `The provider is overloaded (${named}).`, { ...none, ...wait });
  }
  if (status === 408 || status >= 500) {
    const message = `The provider failed (${named}); the call may have been carried out and charged all the same.`;
    return { kind: 'uncertain', code: 'provider_outcome_unknown', billing: 'possible', message, provider };
  }
  if (status >= 400) return rejected(response, provider, `with status ${status}`);
  const message =
    status >= 300
      ? `The provider answered with a redirect (${status}), which is never followed. Check its base URL.`
      : `The provider answered with the unexpected status ${status}.`;
  return { kind: 'unusable', code: 'provider_unusable_answer', billing: 'possible', message, provider };
}

/** Tells what follows from a call that broke: nothing was spent if nothing was sent, else nobody knows. */
export function classifyBreak(call: BrokenCall): ProviderFailure {
  const seconds = Math.round(call.timeoutMs / 100) / 10;
  const provider = call.provider === undefined ? {} : { provider: call.provider };
  const suffix = call.transportCode ? ` (${call.transportCode})` : '';
  if (!call.sent) {
    const messages = {
      canceled: 'The call was given up before anything was sent to the provider.',
      timeout: `No connection to the provider within ${seconds} s; nothing was sent.`,
      broken: `The provider cannot be reached${suffix}; nothing was sent.`,
    };
    return refused('provider_unreachable', messages[call.reason], { billing: 'none', ...provider });
  }
  const messages = {
    canceled: 'The call was given up before its answer was complete.',
    timeout: `The provider did not answer completely within ${seconds} s.`,
    broken: `The connection to the provider broke before its answer was complete${suffix}.`,
  };
  return {
    kind: 'uncertain',
    code: 'provider_outcome_unknown',
    billing: 'possible',
    message: `${messages[call.reason]} The call may have been carried out and charged all the same.`,
    ...provider,
  };
}

function refused(
  code: ErrorCode,
  message: string,
  rest: Pick<ProviderFailure, 'billing' | 'retryAfterMs' | 'provider'>,
): ProviderFailure {
  return { kind: 'refused', code, message, ...rest };
}

/**
 * A refusal of the request itself, by a safety system or as invalid: it would be refused again.
 *
 * @param how how it was refused, for a refusal without a text.
 */
export function rejected(
  response: Pick<RefusedResponse, 'error' | 'text'>,
  provider: Provider,
  how: string,
): ProviderFailure {
  const none = { kind: 'final', billing: 'none' } as const;
  const said = publicMessage(textOf(response.error, 'message') ?? response.error ?? response.text);
  const moderation = moderationOf(response.error);
  if (moderation) {
    const details = [
      ...(moderation.categories.length > 0 ? [`categories: ${moderation.categories.join(', ')}`] : []),
      ...(moderation.stage ? [`stage: ${moderation.stage}`] : []),
    ];
    return {
      ...none,
      code: 'moderation_blocked',
      message: `The provider's safety system refused the content${details.length > 0 ? ` (${details.join('; ')})` : ''}.`,
      provider:
        moderation.categories.length > 0 ? { ...provider, categories: moderation.categories } : provider,
    };
  }
  const message = said
    ? `The provider refused the request: ${said}`
    : `The provider refused the request ${how}.`;
  return { ...none, code: 'provider_rejected', message, provider };
}

type Provider = NonNullable<ProviderFailure['provider']>;

function isQuota(status: number, code: string | undefined, type: string | undefined): boolean {
  if (status === 402) return true;
  return (status === 429 || status === 403) && saysQuota(code, type);
}

/** Whether an error says that this account may not use this model; it says nothing about the others. */
function isAboutModel(code: string | undefined, type: string | undefined): boolean {
  return code === 'model_not_found' || (code === undefined && type === 'invalid_request_error');
}

/** Whether an error's code or type says that the account's credit is used up. */
export function saysQuota(code: string | undefined, type: string | undefined): boolean {
  return quotaCodes.has(code ?? '') || quotaCodes.has(type ?? '');
}

function providerOf(response: RefusedResponse, code: string | undefined): Provider {
  const requestId = requestIdOf(response.header);
  return {
    status: response.status,
    ...(code ? { code } : {}),
    ...(requestId ? { request_id: requestId } : {}),
  };
}

/** The provider's own name for a request, by which its support finds it. */
export function requestIdOf(header: ReadHeader): string | undefined {
  const id = header('x-request-id') ?? header('apim-request-id') ?? '';
  return /^[\x21-\x7e]{1,200}$/.test(id) ? id : undefined;
}

/** A text member of a value that may be anything; of a code or a type only what looks like one, for it may echo a prompt. */
export function textOf(value: unknown, member: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const found: unknown = Reflect.get(value, member);
  if (typeof found === 'number') return String(found);
  if (typeof found !== 'string' || found === '') return undefined;
  return member === 'message' || /^[\w.:-]{1,100}$/.test(found) ? found : undefined;
}
