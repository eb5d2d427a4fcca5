import { z } from 'zod';
import type { Billing } from './errors.ts';

/**
 * One paid call to the provider. The row is written before the socket is, so that a death at any moment leaves a
 * trace from which the truth, or the honest lack of it, can be told.
 *
 *   calling -> received -> stored            the image arrived, was spooled, was stored
 *           -> stored                        the same, where the storage was faster than the disk
 *                       -> unusable          an answer came, but no image was in it
 *                       -> wasted            an image came too late: its place was filled or its job had ended
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

export const Attempt = z.object({
  /** Number of the attempt within its job, from 1; with the job's id it names the spool file. */
  no: z.int(),
  kind: z.enum(['generate', 'enhance']),
  /** Which of the `n` images; 0 for an enhancement. */
  index: z.int(),
  state: z.enum(attemptStates),
  /** The execution that made the call; writes of another execution are refused. */
  fence: z.int(),
  startedAt: z.int(),
  finishedAt: z.int().optional(),
  /** When the answer was safe on the disk of the worker that made the call. */
  receivedAt: z.int().optional(),
  providerRequestId: z.string().optional(),
  /** Names a call that the provider keeps working on by itself, so that anybody can take it up again. */
  handle: z.string().optional(),
  /** Error code of a `rejected`, `uncertain` or `unusable` attempt. */
  error: z.string().optional(),
  /** The model that was called, where it is not the job's own. */
  model: z.string().optional(),
  /** micro-USD as computed from the provider's usage; absent when unknown. */
  costMicroUsd: z.int().optional(),
  /** Set for an answer that said what it used although nothing in it could be used. */
  charged: z.literal(true).optional(),
});
export type Attempt = z.infer<typeof Attempt>;

/** What a row says of a cost: nothing where it is unknown, never 0 instead. */
export const knownCost = (microUsd: number | null): Pick<Attempt, 'costMicroUsd'> =>
  microUsd === null ? {} : { costMicroUsd: microUsd };

/** Most attempts kept with a job; beyond it the oldest refusals, which cost nothing, make room. */
const maxKept = 40;

/** Adds an attempt to the ledger. */
export function addAttempt(attempts: readonly Attempt[], attempt: Attempt): Attempt[] {
  const all = [...attempts, attempt];
  if (all.length <= maxKept) return all;
  const oldest = all.findIndex((a) => a.state === 'rejected');
  return oldest < 0 ? all : all.toSpliced(oldest, 1);
}

/** The number of the next attempt of a job; numbers are never used twice, since they name spool files. */
export function nextAttemptNo(attempts: readonly Attempt[]): number {
  return Math.max(0, ...attempts.map((a) => a.no)) + 1;
}

/** Whether the end of an attempt is not known yet. */
export const isOpen = ({ state }: Attempt): boolean => state === 'calling' || state === 'received';

/** Handles of the calls that may go on by themselves at the provider. */
export function openHandles(attempts: readonly Attempt[]): string[] {
  return attempts.flatMap(({ state, handle }) => (state === 'calling' && handle ? [handle] : []));
}

/** Whether an attempt was a call for this image of its job. */
export const isCallFor = (attempt: Attempt, index: number): boolean =>
  attempt.kind === 'generate' && attempt.index === index;

/**
 * Changes one attempt of the ledger that is open. What has ended is left as it is: whoever changes an attempt may have seen
 * it long ago, and its answer may have been handed in meanwhile.
 */
export function patchAttempt(attempts: readonly Attempt[], no: number, patch: Partial<Attempt>): Attempt[] {
  return attempts.map((attempt) =>
    attempt.no === no && isOpen(attempt) ? { ...attempt, ...patch } : attempt,
  );
}

/** Ends an attempt whose answer is known after all: whatever doubt was noted before is gone. */
export function finalizeAttempt(
  attempts: readonly Attempt[],
  no: number,
  outcome: Pick<Attempt, 'state' | 'finishedAt' | 'costMicroUsd'>,
): Attempt[] {
  return attempts.map((attempt) => {
    if (attempt.no !== no) return attempt;
    const { error: _doubt, ...rest } = attempt;
    return { ...rest, ...outcome };
  });
}

/**
 * How many calls for one image were, or may have been, paid for. Those that a worker took with it when it died or had to
 * leave do not count: they are limited by how often and how long a job may run.
 */
export function paymentsFor(attempts: readonly Attempt[], index: number): number {
  return attempts.filter((a) => isCallFor(a, index) && a.state !== 'rejected' && a.error !== 'worker_lost')
    .length;
}

/** What is known about money after the attempts of a job. */
export function billingOf(attempts: readonly Attempt[]): Billing {
  const paidStates = ['received', 'stored', 'wasted'];
  if (attempts.some(({ state, charged }) => charged || paidStates.includes(state))) return 'charged';
  return attempts.every((a) => a.state === 'rejected') ? 'none' : 'possible';
}
