import type { Caller } from '../../domain/api-key.ts';
import { type BudgetCap, budgetExceeded, hasHardCap } from '../../domain/budget.ts';
import { keyReused } from '../../domain/creation-claim.ts';
import { AppError } from '../../domain/errors.ts';
import { unknownCostOf } from '../../domain/estimate.ts';
import type { QueueLimit, RecordLimits, SubmitOutcome } from '../../domain/ports.ts';
import { tooManyRequests } from '../../domain/too-many-requests.ts';
import { inputInvalid } from '../inputs/inspect-input.ts';
import type { PreparedRequest } from './prepare-request.ts';

/** Time after which a request above a limit of waiting jobs may be repeated. No process knows when a job will start. */
const queuedRetrySeconds = 10;

type Refusal = Exclude<SubmitOutcome, { kind: 'created' | 'replayed' }>;

interface Limits {
  readonly maxOpenJobs: number;
  readonly storage: RecordLimits;
  readonly estimate: PreparedRequest['estimate'];
}

/** Returns the error of a submission that the store refused. */
export function refusalOf(outcome: Refusal, { maxOpenJobs, storage, estimate }: Limits): AppError {
  switch (outcome.kind) {
    case 'key_reused':
      return keyReused();
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
    case 'queued_limit': {
      const violated = { ...outcome.limit, unit: 'queued-jobs', remaining: 0 } as const;
      return tooManyRequests(violated, { quotas: [violated], retryAfterSeconds: queuedRetrySeconds });
    }
    case 'records_full':
      return new AppError('too_many_records', {
        detail: `The records of this tenant reach their limit of ${storage.maxRecords} jobs or ${storage.maxBytes} bytes. Wait until some expire, or request a shorter retention.record_s.`,
      });
    case 'throttled':
      return new AppError('moderation_throttled', {
        detail: 'The provider blocked too many prompts of this tenant. Retry later, with other prompts.',
        retryAfterSeconds: Math.ceil(outcome.forMs / 1000),
      });
    case 'source_gone': {
      const { kind, id, pointer } = outcome.source;
      if (kind === 'upload') return inputInvalid(pointer, `The upload ${id} was deleted or has expired.`);
      const detail = `The job ${id} was erased, and its images with it.`;
      return new AppError('erased', { detail, issues: [{ pointer, detail }] });
    }
    case 'capped':
      return budgetExceeded(outcome.refusal, estimate?.high ?? null);
  }
}

/** Returns the limits of waiting jobs that a caller has. */
export function queueLimitsOf({ policy: { key, tenant } }: Caller): QueueLimit[] {
  const limits = [
    { owner: 'key', limit: key.limits?.queuedJobs },
    { owner: 'tenant', limit: tenant.limits?.queuedJobs },
  ] as const;
  return limits.flatMap(({ owner, limit }) => (limit === undefined ? [] : [{ owner, limit }]));
}

/** Refuses a request of unknown cost that no budget could limit. @throws AppError `cost_unknown` */
export function checkKnownCost(
  { request, estimate }: Pick<PreparedRequest, 'request' | 'estimate'>,
  caps: readonly BudgetCap[],
  { allowUnknownCost }: { readonly allowUnknownCost: boolean },
): void {
  if (estimate !== null || allowUnknownCost || !hasHardCap(caps)) return;
  const { subject, remedy } = unknownCostOf(request);
  const detail = `The cost of ${subject} is unknown, so the budget cannot limit it. ${remedy}.`;
  const isOfFormat = subject !== request.model;
  throw new AppError('cost_unknown', {
    detail,
    issues: isOfFormat ? [{ pointer: '/output_format', detail }] : [],
  });
}
