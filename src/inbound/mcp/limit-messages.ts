import { AppError } from '../../domain/errors.ts';
import type { Quota } from '../../domain/quota.ts';

/** Id of a JSON-RPC request. */
export type RpcId = string | number;

/** The requests of a batch that the limits refuse, and the state of the limits after the batch. */
export interface MessageLimits {
  readonly refusals: ReadonlyMap<RpcId, AppError>;
  readonly quotas: readonly Quota[];
}

/** Maximum number of messages of a batch, as the SDK allows it. */
export const maxBatchSize = 100;

/** Whether a body is a batch that is refused as a whole. To read each of 100,000 messages would block the process for seconds. */
export const isTooLargeBatch = (body: unknown): boolean => Array.isArray(body) && body.length > maxBatchSize;

/**
 * Counts each JSON-RPC request of a batch, because a batch would otherwise pass the limits as one request. The HTTP request
 * has counted the first of them, and a batch that is too large.
 *
 * @param countRequest counts one request, and rejects with the AppError that refuses it.
 * @returns `quotas` is empty if nothing was counted.
 */
export async function limitMessages(
  body: unknown,
  countRequest: () => Promise<readonly Quota[]>,
): Promise<MessageLimits> {
  const [, ...further] = Array.isArray(body) && !isTooLargeBatch(body) ? body.flatMap(requestIdOf) : [];
  const outcomes = await Promise.allSettled(further.map(countRequest));
  const refusals = new Map<RpcId, AppError>();
  let quotas: readonly Quota[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === 'fulfilled') {
      quotas = outcome.value;
      continue;
    }
    if (!(outcome.reason instanceof AppError)) throw outcome.reason;
    refusals.set(further[index] as RpcId, outcome.reason);
    quotas = outcome.reason.quotas;
  }
  return { refusals, quotas };
}

/** Returns the id of a request; nothing for a notification, a response and other values. */
function requestIdOf(message: unknown): RpcId[] {
  const { id, method } = (message ?? {}) as { readonly id?: unknown; readonly method?: unknown };
  const isRequest = typeof method === 'string' && (typeof id === 'string' || typeof id === 'number');
  return isRequest ? [id as RpcId] : [];
}
