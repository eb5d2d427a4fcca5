import type { ErrorCode } from '../../domain/errors.ts';

/** Error codes with which every way to submit a job can be refused, besides those of every route. */
export const submissionCodes: readonly ErrorCode[] = [
  'invalid_idempotency_key',
  'idempotency_key_reused',
  'model_retired',
  'model_unknown',
  'model_not_allowed',
  'preset_required',
  'budget_exceeded',
  'cost_unknown',
  'max_cost_exceeded',
  'moderation_throttled',
  'too_many_records',
  'erased',
  'queue_full',
  'store_full',
  'shutting_down',
];

/** Further error codes of a submission with inputs. */
export const inputCodes: readonly ErrorCode[] = [
  'input_invalid',
  'destination_forbidden',
  'storage_unavailable',
  'storage_failed',
];
