import type { Attempt } from './attempt.ts';
import { AppError } from './errors.ts';
import { type ImageJob, isTerminal } from './image-job.ts';
import { isUnsettled } from './job-money.ts';
import { checkChangeable, touch } from './job-moves.ts';

/** Settlement of charges whose amount is unknown, after the provider or its invoice stated the amount. */
export interface Settlement {
  /** Sum for all charges that are settled, in micro-USD; 0 if nothing was charged. */
  readonly microUsd: number;
  /** Number of the only attempt to settle. Default: all. */
  readonly attemptNo?: number | undefined;
}

/**
 * Settles the unknown charges of an ended job. If there are several, each gets an equal part of the sum, and the first the
 * remainder. The hold of the job follows in the same write, see `withHold`.
 *
 * @returns the next record; `null` if the same settlement was made before.
 * @throws AppError `nothing_to_settle` if the job has not ended or has no unknown charge.
 */
export function settleCharges(job: ImageJob, settlement: Settlement, nowMs: number): ImageJob | null {
  checkChangeable(job);
  if (!isTerminal(job.status)) {
    throw new AppError('nothing_to_settle', {
      detail: 'The job has not ended, so its charges may still become known. Settle them after its end.',
    });
  }
  const { microUsd, attemptNo } = settlement;
  const isNamed = ({ no }: Attempt) => attemptNo === undefined || no === attemptNo;
  const open = job.attempts.filter((attempt) => isUnsettled(attempt) && isNamed(attempt));
  if (open.length === 0) {
    if (isSettledAs(job.attempts.filter(isNamed), microUsd)) return null;
    throw new AppError('nothing_to_settle', { detail: 'The cost of every call of the job is known.' });
  }
  const part = Math.floor(microUsd / open.length);
  const first = microUsd - part * (open.length - 1);
  const attempts = job.attempts.map((attempt) =>
    open.includes(attempt)
      ? { ...attempt, costMicroUsd: attempt === open[0] ? first : part, settledAt: nowMs }
      : attempt,
  );
  return { ...touch(job, nowMs), attempts };
}

/** Whether a settlement of these attempts was for an amount. One settlement settles its attempts at the same time. */
function isSettledAs(attempts: readonly Attempt[], microUsd: number): boolean {
  const sums = new Map<number, number>();
  for (const { settledAt, costMicroUsd = 0 } of attempts)
    if (settledAt !== undefined) sums.set(settledAt, (sums.get(settledAt) ?? 0) + costMicroUsd);
  return [...sums.values()].includes(microUsd);
}
