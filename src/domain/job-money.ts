import { type Attempt, bringsImage, isCallFor } from './attempt.ts';
import type { CallBounds } from './cost.ts';
import { type ImageJob, isEnhancement, isTerminal, missingImages } from './image-job.ts';

/**
 * The money of a job, derived from its record: the amount that is spent, and the amount that is held for calls that may
 * still be charged. See docs/adr/0021-derive-holds-from-records.md.
 */

type Money = Pick<ImageJob, 'purpose' | 'status' | 'attempts' | 'callBounds' | 'enhancedPrompt'> &
  Parameters<typeof missingImages>[0];

/** Whether an attempt was charged, or may have been, with an amount that is not known yet. */
export const isUnsettled = ({ state, costMicroUsd }: Attempt): boolean =>
  state !== 'rejected' && costMicroUsd === undefined;

/** Returns the most that a call of a job can cost, in micro-USD; `undefined` if its price is unknown. */
export function boundOf(
  { callBounds }: Pick<ImageJob, 'callBounds'>,
  { kind }: Pick<Attempt, 'kind'>,
): number | undefined {
  if (!callBounds) return undefined;
  if (bringsImage(kind)) return callBounds.image;
  return kind === 'enhance' ? callBounds.enhance : undefined;
}

/**
 * Returns the micro-USD that a job holds: the bound of every unsettled attempt and, until the job ends, of the first call
 * for each missing image and for its description. A repeated call is not held in advance. It raises the hold when its
 * attempt is written.
 */
export function holdOf(job: Money): number {
  const { callBounds, attempts } = job;
  if (!callBounds) return 0;
  const unsettled = attempts.filter(isUnsettled).map((attempt) => boundOf(job, attempt) ?? 0);
  const hold = unsettled.reduce((sum, amount) => sum + amount, 0);
  return isTerminal(job.status) ? hold : hold + plannedOf(job, callBounds);
}

/** Returns the bounds of the first calls that were not made yet, or that were provably free. */
function plannedOf(job: Money, bounds: CallBounds): number {
  const { attempts } = job;
  const images = missingImages(job).filter((index) =>
    attempts.every((attempt) => !isCallFor(attempt, index) || attempt.state === 'rejected'),
  );
  // A description is written once, so no second call follows a rejected one.
  const isUseless = images.length === 0 && !isEnhancement(job);
  const isDescribed = isUseless || attempts.some(({ kind }) => kind === 'enhance');
  return images.length * bounds.image + (isDescribed ? 0 : (bounds.enhance ?? 0));
}

/**
 * Returns the upper bound of the cost of a job with one call for each image, in micro-USD, as it was estimated when the job
 * was accepted; `null` if it is unknown.
 */
export function expectedCostOf({
  callBounds,
  request,
}: Pick<ImageJob, 'callBounds' | 'request'>): number | null {
  return callBounds ? (request?.n ?? 1) * callBounds.image + (callBounds.enhance ?? 0) : null;
}

/** Returns the micro-USD that a job is known to have cost. */
export function spentOf({ attempts }: Pick<ImageJob, 'attempts'>): number {
  return attempts.reduce((sum, { costMicroUsd = 0 }) => sum + costMicroUsd, 0);
}

/** Returns a record with the hold that follows from its other fields. Every change of a job passes through this function. */
export function withHold(job: ImageJob): ImageJob {
  const hold = holdOf(job);
  if (hold > 0) return hold === job.hold ? job : { ...job, hold };
  if (job.hold === undefined && !job.callBounds) return job;
  const { hold: _hold, callBounds, ...rest } = job;
  // The bounds of an ended job matter only while an attempt is unsettled.
  return callBounds && !isTerminal(job.status) ? { ...rest, callBounds } : rest;
}

/** A known cost above the bound of its call. */
export interface Excess {
  readonly attemptNo: number;
  readonly costMicroUsd: number;
  readonly boundMicroUsd: number;
}

/** Returns the costs above their bounds that a change of a job made known. */
export function newExcesses(before: ImageJob, after: ImageJob): Excess[] {
  const known = new Set(before.attempts.filter((each) => !isUnsettled(each)).map(({ no }) => no));
  return after.attempts.flatMap((attempt) => {
    const { no: attemptNo, costMicroUsd = 0 } = attempt;
    const boundMicroUsd = boundOf(before, attempt);
    if (boundMicroUsd === undefined || known.has(attemptNo) || costMicroUsd <= boundMicroUsd) return [];
    return { attemptNo, costMicroUsd, boundMicroUsd };
  });
}
