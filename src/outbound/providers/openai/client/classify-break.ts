import type { ProviderFailure } from '../../../../domain/ports.ts';

/** A call that ended without a status, or in the middle of a successful response. */
export interface BrokenCall {
  /** Whether a byte of the request may have been sent. */
  readonly sent: boolean;
  readonly reason: 'canceled' | 'timeout' | 'broken';
  readonly timeoutMs: number;
  /** Code of the transport, for example `ECONNREFUSED`. */
  readonly transportCode?: string | undefined;
  /** Known facts of the response whose body broke off. */
  readonly provider?: ProviderFailure['provider'];
}

/** Classifies a broken call: nothing was spent if nothing was sent, otherwise the charge is unknown. */
export function classifyBreak(call: BrokenCall): ProviderFailure {
  const seconds = Math.round(call.timeoutMs / 100) / 10;
  const provider = call.provider === undefined ? {} : { provider: call.provider };
  const suffix = call.transportCode ? ` (${call.transportCode})` : '';
  if (!call.sent) {
    const messages = {
      canceled: 'The call was canceled before anything was sent to the provider.',
      timeout: `No connection to the provider within ${seconds} s; nothing was sent.`,
      broken: `The provider cannot be reached${suffix}; nothing was sent.`,
    };
    const message = messages[call.reason];
    return { kind: 'refused', code: 'provider_unreachable', billing: 'none', message, ...provider };
  }
  const messages = {
    canceled: 'The call was canceled before its response was complete.',
    timeout: `The provider sent no complete response within ${seconds} s.`,
    broken: `The connection to the provider broke before the response was complete${suffix}.`,
  };
  const message = `${messages[call.reason]} The call may have been carried out and charged.`;
  return { kind: 'uncertain', code: 'provider_outcome_unknown', billing: 'possible', message, ...provider };
}

/**
 * Classifies a call with an uncertain outcome whose body was not sent completely: the provider cannot have carried it out,
 * because it got fewer bytes than announced.
 */
export function classifyCutUpload({ provider, retryAfterMs }: ProviderFailure): ProviderFailure {
  return {
    kind: 'refused',
    code: 'provider_unreachable',
    billing: 'none',
    message:
      'The call ended before its inputs were sent completely. The provider cannot have carried it out.',
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(provider ? { provider } : {}),
  };
}
