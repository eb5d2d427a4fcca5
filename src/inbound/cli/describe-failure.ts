import type { ApiError, DarkroomError } from '../../../clients/typescript/src/index.ts';
import { printable } from './printable.ts';
import { UnreachableError } from './service-client.ts';

/** Errors are recognized by their fields, so that a command without calls does not load the client. */
const isClientError = (error: unknown): error is DarkroomError =>
  error instanceof Error && 'retryable' in error && 'code' in error;
const isApiError = (error: DarkroomError): error is ApiError => 'problem' in error;

/** Returns the code of a refusal by the service. */
export const refusalCode = (error: unknown): string | undefined =>
  isClientError(error) && isApiError(error) ? error.code : undefined;

/** Returns the status of a refusal by the service. */
export const statusOf = (error: unknown): number | undefined =>
  isClientError(error) && isApiError(error) ? error.status : undefined;

/** A damaged response of a call that had an effect. */
const isDamaged = (error: DarkroomError): boolean =>
  'status' in error && Number(error.status) < 300 && !isApiError(error);

/** Statuses of refusals that the service makes before it looks for an earlier request with the same idempotency key. */
const beforeLookup: ReadonlySet<unknown> = new Set([401, 403, 408, 413]);

/** A refusal of a repeated call that says nothing about its first attempt, whose response was lost. */
const isOfRepetition = (error: DarkroomError): boolean =>
  error.attempts > 1 && 'status' in error && beforeLookup.has(error.status);

/** Returns true if a call certainly had no effect: it never arrived, or the service refused it. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof UnreachableError ||
  (isClientError(error) && !error.retryable && !isDamaged(error) && !isOfRepetition(error));

/** Minimum pause before a call can be repeated; `undefined` if that cannot help. */
export const retryAfterMsOf = (error: unknown): number | undefined =>
  isClientError(error) && error.retryable ? error.retryAfterMs : undefined;

const hints: ReadonlyMap<string, string> = new Map(
  Object.entries({
    unauthorized: 'Set DARKROOM_API_KEY to a valid key of the service at DARKROOM_URL.',
    insufficient_scope: 'Create a key with this scope: darkroom keys create --tenant NAME --scopes LIST',
  }),
);

/** Returns the text of an error for the user: its code, its invalid fields and what to do. */
export function describeFailure(error: unknown): string {
  if (!isClientError(error)) return error instanceof Error ? error.message : String(error);
  if (error.code === 'unexpected_response') return error.message.replace('Set baseUrl', 'Set DARKROOM_URL');
  if (!isApiError(error)) return error.message;
  const fields = error.issues.map(({ pointer, detail }) => `\n  ${pointer}: ${detail}`).join('');
  const hint = hints.get(error.code);
  return `${printable(`${error.code}: ${error.problem.detail}${fields}`)}${hint === undefined ? '' : `\n${hint}`}`;
}
