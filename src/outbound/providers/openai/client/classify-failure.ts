import type { ErrorCode } from '../../../../domain/errors.ts';
import type { ProviderFailure } from '../../../../domain/ports.ts';
import { type ErrorFacts, readErrorFacts } from './error-facts.ts';
import { exceedsWholeLimit, meaningOfBeginning, meaningOfMessages } from './error-texts.ts';
import { type ErrorMeaning, meaningOf } from './known-errors.ts';
import { readModeration } from './moderation-refusal.ts';
import { publicMessage } from './public-message.ts';
import { type ReadHeader, retryAfterMs } from './retry-after.ts';
import { statedWaitMs } from './stated-wait.ts';

/** A response that states an error. */
export interface RefusedResponse {
  readonly status: number;
  readonly header: ReadHeader;
  /** The body as JSON, or as text if it is not JSON. */
  readonly body: unknown;
}

type Provider = NonNullable<ProviderFailure['provider']>;

/**
 * Classifies a response with a status other than 2xx: whether a retry helps, whether it was charged, and the message.
 *
 * Known codes and types decide before the status, see `known-errors.ts`. A request that was provably not accepted costs
 * nothing. The charge of a 5xx other than 503 is unknown.
 */
export function classifyResponse(response: RefusedResponse, nowMs: number): ProviderFailure {
  const facts = readErrorFacts(response.body);
  const { status } = response;
  const stated = statedFailure(facts, { status, ...requestFacts(response.header) });
  const failure =
    stated ?? failureByStatus(status, facts, { status, ...requestFacts(response.header), ...codeOf(facts) });
  const waits = [retryAfterMs(response.header, nowMs), statedWaitMs(facts)].filter(
    (wait) => wait !== undefined,
  );
  // The longer one, because some gateways send `Retry-After: 0` with every refusal.
  return withWait(failure, waits.length > 0 ? Math.max(...waits) : undefined);
}

/** Adds the wait that a response requests before the next call. */
const withWait = (failure: ProviderFailure, waitMs: number | undefined): ProviderFailure => {
  const mayRepeat = failure.kind === 'refused' || failure.kind === 'uncertain';
  return waitMs === undefined || !mayRepeat ? failure : { ...failure, retryAfterMs: waitMs };
};

/**
 * Classifies an error in a response with a 2xx status. The error may be in the body, an event of a stream, or the state of
 * a background response. If no code or type is known, the numeric code inside the error counts like a 4xx status. A call is
 * not repeated after a 5xx inside a complete response.
 *
 * @returns `null` if nothing in the error is known.
 */
export function classifyStatedError(error: unknown, provider: Provider): ProviderFailure | null {
  const facts = readErrorFacts(error);
  const stated = statedFailure(facts, provider);
  if (stated) return withWait(stated, statedWaitMs(facts));
  const inner = facts.words.map(Number).find((word) => word >= 400 && word <= 499 && word !== 408);
  if (inner !== undefined) return failureByStatus(inner, facts, { ...provider, ...codeOf(facts) });
  const blamesRequest = facts.words.some((word) =>
    /^(?:invalid_|unsupported_|image_generation_user_error$)/.test(word),
  );
  return blamesRequest ? rejected(facts, { ...provider, ...codeOf(facts) }, 'without a reason') : null;
}

/**
 * Classifies an error event of a stream: like the 4xx that it stands for, otherwise like a 5xx, whose charge is unknown.
 */
export function classifyStreamError(error: unknown, provider: Provider): ProviderFailure {
  const facts = readErrorFacts(error);
  return (
    classifyStatedError(error, provider) ?? failureByStatus(500, facts, { ...provider, ...codeOf(facts) })
  );
}

/** Classifies a refusal whose reason is known by its name, for example the reason of an incomplete response. */
export function classifyReason(reason: string, provider: Provider): ProviderFailure | null {
  return statedFailure(readErrorFacts({ code: reason }), provider);
}

function statedFailure(facts: ErrorFacts, provider: Provider): ProviderFailure | null {
  const known = meaningOf(facts.words);
  const meaning = saidBehind(known?.meaning, facts, provider) ?? known?.meaning;
  if (meaning === undefined) return null;
  return failureOf(meaning, facts, { ...provider, ...(known ? { code: known.word } : codeOf(facts)) });
}

/** Returns what the messages of an error state if its codes and types say nothing, or only what many refusals say. */
function saidBehind(
  known: ErrorMeaning | undefined,
  facts: ErrorFacts,
  { status }: Provider,
): ErrorMeaning | null {
  // A wait does not help such a request, and its repetitions would block the model for all jobs.
  const isRate = known === 'rate_limit' || (known === undefined && status === 429);
  if (isRate && exceedsWholeLimit(facts.messages)) return 'request';
  // Some gateways report every refusal as an invalid request and name the reason in the message only.
  if (known === undefined || known === 'request') return meaningOfMessages(facts.messages, status);
  // LiteLLM gives an exhausted quota the type and the code of a rate limit. Google begins the message of a rate limit like
  // that of a quota, but states when to try again.
  if (known === 'rate_limit' && statedWaitMs(facts) === undefined) return meaningOfBeginning(facts.messages);
  return null;
}

function failureOf(meaning: ErrorMeaning, facts: ErrorFacts, provider: Provider): ProviderFailure {
  const named = namedBy(provider);
  switch (meaning) {
    case 'quota':
      return {
        ...free('stopped', 'provider_quota_exhausted', provider),
        message: `The provider account has no credit left or reached its spending limit${named}.`,
      };
    case 'key':
      return {
        ...free('stopped', 'provider_unauthorized', provider),
        message: `The provider rejected the API key of this deployment${named}. Its operator has to act.`,
      };
    case 'rate_limit':
      return {
        ...free('refused', 'provider_rate_limited', provider),
        message: `The provider limits the rate of calls${named}.`,
      };
    case 'overload':
      return {
        ...free('refused', 'provider_overloaded', provider),
        message: `The provider is overloaded${named}.`,
      };
    case 'moderation':
      return moderated(facts, provider);
    case 'request':
      return rejected(facts, provider, 'without a reason');
  }
}

function failureByStatus(status: number, facts: ErrorFacts, provider: Provider): ProviderFailure {
  if (status === 402) return failureOf('quota', facts, provider);
  // A prompt that looks like an attack causes such a page, and must not block the account.
  if (status === 403 && isPage(facts))
    return rejected(facts, provider, 'with a page (403), as a firewall does');
  if (status === 401 || (status === 403 && !isAboutRequest(facts))) return failureOf('key', facts, provider);
  if (status === 429) return failureOf('rate_limit', facts, provider);
  if (status === 503) return failureOf('overload', facts, provider);
  if (status === 408 || status >= 500) {
    const message = `The provider failed${namedBy(provider)}; the call may have been carried out and charged.`;
    return { kind: 'uncertain', code: 'provider_outcome_unknown', billing: 'possible', message, provider };
  }
  if (status >= 400) return rejected(facts, provider, `with status ${status}`);
  const message =
    status >= 300
      ? `The provider sent a redirect (${status}), which is never followed. Check its base URL.`
      : `The provider sent the unexpected status ${status}.`;
  return { kind: 'unusable', code: 'provider_unusable_answer', billing: 'possible', message, provider };
}

/**
 * OpenAI refuses a model that the account may not use with 403 and this type only. A refusal that names a parameter, such as
 * `safety_identifier` of an end user, concerns its own call.
 */
const isAboutRequest = ({ words, parts }: ErrorFacts) =>
  words[0] === 'invalid_request_error' || parts.some((part) => namesParameter(Reflect.get(part, 'param')));

/** LiteLLM writes `None` for none. */
const namesParameter = (param: unknown) => typeof param === 'string' && param !== '' && param !== 'None';

const isPage = ({ message }: ErrorFacts) => message?.startsWith('<') === true;

const free = (kind: 'stopped' | 'refused' | 'final', code: ErrorCode, provider: Provider) =>
  ({ kind, code, billing: 'none', provider }) as const;

function moderated(facts: ErrorFacts, provider: Provider): ProviderFailure {
  const { categories, stage } = readModeration(facts);
  const details = [
    ...(categories.length > 0 ? [`categories: ${categories.join(', ')}`] : []),
    ...(stage ? [`stage: ${stage}`] : []),
  ];
  const suffix = details.length > 0 ? ` (${details.join('; ')})` : '';
  return {
    ...free('final', 'moderation_blocked', categories.length > 0 ? { ...provider, categories } : provider),
    message: `The provider's safety system refused the content${suffix}.`,
  };
}

/** @param how the way in which the request was refused, for a refusal without a text. */
function rejected(facts: ErrorFacts, provider: Provider, how: string): ProviderFailure {
  const said = publicMessage(facts.message);
  const message = said
    ? `The provider refused the request: ${said}`
    : `The provider refused the request ${how}.`;
  return { ...free('final', 'provider_rejected', provider), message };
}

function namedBy({ status, code }: Provider): string {
  const words = [status, code].filter((word) => word !== undefined);
  return words.length > 0 ? ` (${words.join(' ')})` : '';
}

const codeOf = ({ code }: ErrorFacts): { code?: string } => (code === undefined ? {} : { code });

const requestFacts = (header: ReadHeader): Provider => {
  const requestId = requestIdOf(header);
  return requestId ? { request_id: requestId } : {};
};

/** Returns the provider's id of a request, for support cases. */
export function requestIdOf(header: ReadHeader): string | undefined {
  const id = header('x-request-id') ?? header('apim-request-id') ?? '';
  return /^[\x21-\x7e]{1,200}$/.test(id) ? id : undefined;
}
