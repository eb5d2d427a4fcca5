import {
  type Attempt,
  bringsImage,
  finalizeAttempt,
  isFinalized,
  isOpen,
  knownCost,
  patchAttempt,
} from '../../domain/attempt.ts';
import { type ImageJob, isEnhancement, isTerminal } from '../../domain/image-job.ts';
import type { ProviderFailure, Spent } from '../../domain/ports.ts';
import { addTokens } from '../../domain/token-totals.ts';

/** The facts of a failed call that its row and its job need. */
export interface FailedCall {
  readonly kind: string;
  readonly provider: string;
  readonly model: string;
  /** Returns the cost of a failed call that reports its usage, in micro-USD. */
  costOf(spent: Spent): number | null;
  /** Further change of the job in the step that writes a failure. */
  afterFailure?(job: ImageJob, error: string): ImageJob;
}

/** The outcome of a failed call. */
interface Outcome {
  readonly call: FailedCall;
  readonly failure: ProviderFailure;
  /** Error code for the row. */
  readonly error: string;
  readonly finishedAt: number;
}

/**
 * Returns a job with the outcome of a failed call: its row, its tokens and the count of rejections. Returns the same record
 * if the row has ended, because a write may be repeated on its own result.
 */
export function withFailure(job: ImageJob, no: number, outcome: Outcome): ImageJob {
  if (!job.attempts.some((each) => each.no === no && isOpen(each))) return job;
  const { call, failure, error, finishedAt } = outcome;
  const { kind, spent, provider } = failure;
  const row: Partial<Attempt> = {
    state: stateAfter(failure),
    error,
    finishedAt,
    ...(kind === 'unusable' ? { final: true } : {}),
    ...(provider?.request_id ? { providerRequestId: provider.request_id } : {}),
    ...(isCharged(job, no, failure)
      ? { charged: true, ...knownCost(spent ? call.costOf(spent) : null) }
      : {}),
  };
  // Descriptions of a job with images do not count in its tokens.
  const hasTokens = bringsImage(call.kind) || isEnhancement(job);
  const closed = {
    ...job,
    attempts: patchAttempt(job.attempts, no, row),
    ...(hasTokens ? addTokens(job, spent?.usage) : {}),
  };
  const after = call.afterFailure?.(closed, error) ?? closed;
  const isFree = kind === 'refused' || kind === 'stopped';
  const isRefusal = isFree && call.kind !== 'enhance' && !isTerminal(job.status);
  return isRefusal ? { ...after, refusals: (after.refusals ?? 0) + 1 } : after;
}

/**
 * Returns a job with the outcome of a response that was read after its run, also if the row was closed without a response.
 * Returns the same record if the row knows its response.
 */
export function withLateFailure(job: ImageJob, no: number, outcome: Outcome): ImageJob {
  const row = job.attempts.find((each) => each.no === no);
  if (!row || isFinalized(row) || row.state === 'rejected') return job;
  const { settledAt: _settledAt, costMicroUsd: _costMicroUsd, ...unsettled } = row;
  const attempts = job.attempts.map((each) => (each === row && statesCost(outcome) ? unsettled : each));
  const open = finalizeAttempt(attempts, no, { state: 'received' });
  return withFailure({ ...job, attempts: open }, no, outcome);
}

/** Whether a failure states what its call cost, so that it replaces a settlement. */
const statesCost = ({ call, failure: { billing, spent } }: Outcome) =>
  billing === 'none' || (spent !== undefined && call.costOf(spent) !== null);

/** Returns whether a failed call is known to be charged. A response that arrived stays paid even if it is lost. */
function isCharged(job: ImageJob, no: number, { kind, billing }: ProviderFailure): boolean {
  const hasArrived = job.attempts.some((each) => each.no === no && each.receivedAt !== undefined);
  return billing === 'charged' || (hasArrived && kind === 'uncertain');
}

function stateAfter({ kind }: ProviderFailure): 'rejected' | 'unusable' | 'uncertain' {
  if (kind === 'unusable' || kind === 'damaged') return 'unusable';
  return kind === 'uncertain' ? 'uncertain' : 'rejected';
}
