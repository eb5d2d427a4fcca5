import { type BudgetCap, budgetExceeded, hasHardCap } from '../../domain/budget.ts';
import { AppError } from '../../domain/errors.ts';
import type { SubmitOutcome } from '../../domain/ports.ts';
import type { PreparedRequest } from './prepare-request.ts';

type Refusal = Exclude<SubmitOutcome, { kind: 'created' | 'replayed' }>;

/** Returns the error of a submission that the store refused. */
export function refusalOf(
  outcome: Refusal,
  { maxOpenJobs, estimate }: { maxOpenJobs: number; estimate: PreparedRequest['estimate'] },
): AppError {
  switch (outcome.kind) {
    case 'key_reused':
      return new AppError('idempotency_key_reused', {
        detail: 'This Idempotency-Key was used with another body. Use a new key for a new request.',
      });
    case 'gone':
      return new AppError('erased', {
        detail:
          'The job of this Idempotency-Key was made, and its record has expired. Use a new key for a new request.',
      });
    case 'queue_full':
      return new AppError('queue_full', {
        detail: `There are already ${maxOpenJobs} unfinished jobs. Try again when some have ended.`,
        retryAfterSeconds: 30,
      });
    case 'capped':
      return budgetExceeded(outcome.refusal, estimate?.high ?? null);
  }
}

/** Refuses a request of unknown cost that no budget could limit. @throws AppError `cost_unknown` */
export function checkKnownCost(
  { request, estimate }: Pick<PreparedRequest, 'request' | 'estimate'>,
  caps: readonly BudgetCap[],
  { allowUnknownCost }: { readonly allowUnknownCost: boolean },
): void {
  if (estimate !== null || allowUnknownCost || !hasHardCap(caps)) return;
  throw new AppError('cost_unknown', {
    detail: `The cost of ${request.model} is unknown, so the budget cannot limit it. Name another model or quality.`,
  });
}
