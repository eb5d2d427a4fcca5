import type { Billing } from './errors.ts';
import type { Open } from './open.ts';

/**
 * One paid call to the provider. The row is written before the request is sent, so that a crash at any moment leaves a
 * trace from which the outcome, or the fact that it is unknown, can be derived.
 *
 *   calling -> received -> stored            the image arrived, was spooled, was stored
 *           -> stored                        the same, if the storage was faster than the disk
 *                       -> unusable          a response came, but it held no image
 *                       -> wasted            an image came too late: its index was filled or its job had ended
 *           -> rejected                      proved not accepted: nothing was spent
 *           -> uncertain                     sent, but the outcome is unknown: it may have been charged
 */
export const attemptStates = [
  'calling',
  'received',
  'stored',
  'rejected',
  'uncertain',
  'unusable',
  'wasted',
] as const;
export type AttemptState = (typeof attemptStates)[number];

/** Kinds of paid calls that this release makes. Records may hold others. */
export const attemptKinds = ['generate', 'edit', 'enhance'] as const;
export type AttemptKind = (typeof attemptKinds)[number];

export interface Attempt {
  /** Number of the attempt within its job, from 1. With the id of the job it names the spool file. */
  readonly no: number;
  readonly kind: Open<AttemptKind>;
  /** Name of the provider that was called. */
  readonly provider?: string;
  /** Index of the image; 0 for an enhancement. */
  readonly index: number;
  readonly state: Open<AttemptState>;
  /** Fencing token of the run that made the call. Writes of another run are refused. */
  readonly fence: number;
  readonly startedAt: number;
  readonly finishedAt?: number;
  /** Time at which the last byte of the response arrived. A crash in the next moments may leave it on the disk or not. */
  readonly arrivedAt?: number;
  /**
   * Time at which the response was durable on the disk of the worker that made the call. While it waits for the storage, that
   * worker renews the time.
   */
  readonly receivedAt?: number;
  readonly providerRequestId?: string;
  /**
   * Text from which any worker can resume the open call: the provider's own id of a call that continues without a
   * connection, or the response whose link is being fetched.
   */
  readonly handle?: string;
  /** Number of previews that the call requested. */
  readonly partialImages?: number;
  /** Error code of a `rejected`, `uncertain` or `unusable` attempt. */
  readonly error?: string;
  /** Model that was called, if it differs from the model of the job. */
  readonly model?: string;
  /** Micro-USD computed from the provider's usage; absent if unknown. */
  readonly costMicroUsd?: number;
  /** Set if the response was complete but held no image: another call would bring the same. */
  readonly final?: true;
  /** Set if a response reported its usage although it held nothing usable. */
  readonly charged?: true;
  /** Set if the image was found in the storage without its response, which would report its cost and its tokens. */
  readonly responseLost?: true;
  /** Time at which an unknown charge was settled. `costMicroUsd` is then the settled amount; 0 if nothing was charged. */
  readonly settledAt?: number;
}

/** Returns the cost fields of a row: none if the cost is unknown, never 0 instead. */
export const knownCost = (microUsd: number | null): Pick<Attempt, 'costMicroUsd'> =>
  microUsd === null ? {} : { costMicroUsd: microUsd };

/** Maximum number of attempts in a record. Beyond it the oldest rejected attempts, which cost nothing, are dropped. */
const maxAttempts = 40;

/** Adds an attempt to the ledger. */
export function addAttempt(attempts: readonly Attempt[], attempt: Attempt): Attempt[] {
  const all = [...attempts, attempt];
  if (all.length <= maxAttempts) return all;
  const oldest = all.findIndex((a) => a.state === 'rejected');
  return oldest < 0 ? all : all.toSpliced(oldest, 1);
}

/** Returns the number of the next attempt of a job. Numbers are never reused, because they name spool files. */
export function nextAttemptNo(attempts: readonly Attempt[]): number {
  return Math.max(0, ...attempts.map((a) => a.no)) + 1;
}

/** Whether two rows describe one call. If the store lost a row, another call may have its number. */
const isSameCall = (a: Attempt, b: Attempt): boolean => a.no === b.no && a.startedAt === b.startedAt;

/** Whether a row may have been restored for a call under another number. */
const isRenumbered = (a: Attempt, b: Attempt): boolean => a.index === b.index && a.startedAt === b.startedAt;

/**
 * Restores the row of a call that the store lost, so that no charge is hidden. It gets the next number if another call has
 * its number. Repeatable.
 *
 * @returns the ledger, and the row in it.
 */
export function withCall(attempts: readonly Attempt[], call: Attempt): { attempts: Attempt[]; row: Attempt } {
  const isTaken = attempts.some(({ no }) => no === call.no);
  const known =
    attempts.find((each) => isSameCall(each, call)) ??
    (isTaken ? attempts.find((each) => isRenumbered(each, call)) : undefined);
  if (known) return { attempts: [...attempts], row: known };
  const row = { ...call, no: isTaken ? nextAttemptNo(attempts) : call.no };
  return { attempts: addAttempt(attempts, row), row };
}

/** Whether a response that names the start of its call belongs to an attempt with the same number. */
export const isResponseTo = (head: { readonly startedAt?: number }, { startedAt }: Attempt): boolean =>
  head.startedAt === undefined || head.startedAt === startedAt;

/** Whether the outcome of an attempt is still pending. */
export const isOpen = ({ state }: Attempt): boolean => state === 'calling' || state === 'received';

/** Whether the response of an attempt is known. A row that was given up because its worker did not return still accepts it. */
export const isFinalized = ({ state, error, responseLost }: Attempt): boolean =>
  ['stored', 'wasted', 'unusable'].includes(state) && error !== 'worker_lost' && !responseLost;

/**
 * Returns the provider's ids of calls that may still run at the provider: open ones, and those that the end of their job
 * closed.
 */
export function openHandles(attempts: readonly Attempt[]): string[] {
  return attempts.flatMap(({ state, handle }) =>
    handle && (state === 'calling' || state === 'uncertain') ? [handle] : [],
  );
}

/**
 * Closes the calls of a job that ends, because no run will record their outcome. They may have been charged. Each keeps the
 * provider's id, by which a worker cancels it there. A received response stays open until it is recovered from its disk.
 */
export function closeCalls(attempts: readonly Attempt[], nowMs: number): Attempt[] {
  return attempts.map((attempt) =>
    attempt.state === 'calling'
      ? {
          ...withoutHeldResponse(attempt),
          state: 'uncertain',
          error: 'provider_outcome_unknown',
          finishedAt: nowMs,
        }
      : attempt,
  );
}

/** Removes a handle that is a response, with its link and the text of the provider, and not only the id of a call. */
export function withoutHeldResponse(attempt: Attempt): Attempt {
  const { handle, ...rest } = attempt;
  return handle === undefined || /^[\w.:-]{1,200}$/.test(handle) ? attempt : rest;
}

const imageKinds: ReadonlySet<string> = new Set<AttemptKind>(['generate', 'edit']);

/** Whether a kind of call brings an image. */
export const bringsImage = (kind: Open<AttemptKind>): boolean => imageKinds.has(kind);

/** Whether an attempt generated this image of its job. */
export const isCallFor = (attempt: Attempt, index: number): boolean =>
  bringsImage(attempt.kind) && attempt.index === index;

/**
 * Updates an attempt of the ledger if it is open. An ended attempt stays unchanged: the caller may hold an old copy, and a
 * recovered response may have ended the attempt since. An attempt that ends loses its handle, which may hold a link. Only
 * `closeCalls` keeps it if it is an id.
 */
export function patchAttempt(attempts: readonly Attempt[], no: number, patch: Partial<Attempt>): Attempt[] {
  return attempts.map((attempt) =>
    attempt.no === no && isOpen(attempt) ? withoutUsedHandle({ ...attempt, ...patch }) : attempt,
  );
}

/**
 * Ends an attempt whose image or response is known after all. Removes the error of an earlier doubt and the mark of a lost
 * response. A known cost replaces a settlement, which otherwise remains the best knowledge of the charge.
 */
export function finalizeAttempt(
  attempts: readonly Attempt[],
  no: number,
  outcome: Pick<Attempt, 'state' | 'finishedAt' | 'costMicroUsd' | 'responseLost'>,
): Attempt[] {
  return attempts.map((attempt) => {
    if (attempt.no !== no) return attempt;
    const { error: _doubt, responseLost: _mark, settledAt, ...rest } = attempt;
    const settlement = outcome.costMicroUsd === undefined && settledAt !== undefined ? { settledAt } : {};
    return withoutUsedHandle({ ...rest, ...settlement, ...outcome });
  });
}

function withoutUsedHandle(attempt: Attempt): Attempt {
  const { handle: _used, ...ended } = attempt;
  return isOpen(attempt) ? attempt : ended;
}

/**
 * Counts the calls for one image that were, or may have been, paid for. Calls lost with their worker do not count: the
 * number and the time of a job's runs limit them.
 */
export function paymentsFor(attempts: readonly Attempt[], index: number): number {
  return attempts.filter((a) => isCallFor(a, index) && a.state !== 'rejected' && a.error !== 'worker_lost')
    .length;
}

const paidStates: ReadonlySet<string> = new Set<AttemptState>(['received', 'stored', 'wasted']);

/** Returns the knowledge about money of one attempt. An unknown state may have been charged. */
export function billingOfAttempt({ state, charged, settledAt, costMicroUsd }: Attempt): Billing {
  if (state === 'rejected') return 'none';
  if (settledAt !== undefined) return costMicroUsd === 0 ? 'none' : 'charged';
  return charged || paidStates.has(state) ? 'charged' : 'possible';
}

/** Returns the knowledge about money after the attempts of a job. */
export function billingOf(attempts: readonly Attempt[]): Billing {
  const billings = new Set(attempts.map(billingOfAttempt));
  if (billings.has('charged')) return 'charged';
  return billings.has('possible') ? 'possible' : 'none';
}
