import { z } from 'zod';
import { type Attempt, attemptKinds, attemptStates, billingOfAttempt } from './attempt.ts';
import { billings } from './errors.ts';
import type { ImageJob } from './image-job.ts';
import { isoTime } from './iso-time.ts';
import { boundOf, isUnsettled } from './job-money.ts';
import { other, shownAttemptKinds, shownAttemptStates } from './job-view.ts';
import { knownOr, storedObject } from './stored.ts';

/** The ledger of a tenant: one line for every call to a provider that was charged or may have been. */

/** A line of the ledger on the wire. */
export const LedgerLine = z.object({
  id: z.string().describe('Id of the line. It stays the same if the line changes.'),
  job_id: z.string(),
  attempt: z.int().describe('Number of the attempt within its job, from 1.'),
  kind: z.enum(shownAttemptKinds),
  key_id: z.string().nullable().describe('Key that submitted the job; `null` if unknown.'),
  model: z.string().nullable().describe('Model that was called.'),
  provider: z.string().nullable().describe('Provider that was called.'),
  state: z.enum(shownAttemptStates),
  billing: z.enum(billings).describe('`none` only if a possible charge was settled as not charged.'),
  micro_usd: z.int().nullable().describe('Cost in micro-USD. `null` if unknown, never 0 instead.'),
  micro_usd_possible: z
    .int()
    .nullable()
    .describe(
      'Upper bound of a charge that is not settled, in micro-USD. `null` if it is settled or its bound is unknown.',
    ),
  provider_request_id: z.string().nullable(),
  at: z.iso.datetime().describe('Start of the call.'),
});
export type LedgerLine = z.infer<typeof LedgerLine>;

/**
 * A line as it is archived, in open form: another release may have written it. If two lines have the same id, the line with
 * the higher version is valid.
 */
export const ArchivedLine = storedObject({
  id: z.string(),
  job_id: z.string(),
  attempt: z.int(),
  kind: z.string(),
  key_id: z.string().nullable(),
  model: z.string().nullable(),
  provider: z.string().nullable(),
  state: z.string(),
  billing: z.string(),
  micro_usd: z.int().nullable(),
  /** Absent in lines of earlier releases. */
  micro_usd_possible: z.int().nullable().optional(),
  provider_request_id: z.string().nullable(),
  at: z.string(),
  /** Version of the job's record. */
  version: z.int(),
});
export type ArchivedLine = z.infer<typeof ArchivedLine>;

/** Returns the attempts of a job that belong into the ledger: all except those that provably cost nothing. */
const paidAttempts = ({ attempts }: Pick<ImageJob, 'attempts'>): Attempt[] =>
  attempts.filter(({ state }) => state !== 'rejected');

/** Returns the lines of a job. */
export function ledgerLinesOf(job: ImageJob): ArchivedLine[] {
  return paidAttempts(job).map((attempt) => ({
    id: `${job.id}.${attempt.no}`,
    job_id: job.id,
    attempt: attempt.no,
    kind: attempt.kind,
    key_id: job.keyId ?? null,
    model: attempt.model ?? job.request?.model ?? null,
    provider: attempt.provider ?? null,
    state: attempt.state,
    billing: billingOfAttempt(attempt),
    micro_usd: attempt.costMicroUsd ?? null,
    micro_usd_possible: (isUnsettled(attempt) ? boundOf(job, attempt) : undefined) ?? null,
    provider_request_id: attempt.providerRequestId ?? null,
    at: isoTime(attempt.startedAt),
    version: job.version,
  }));
}

/** Returns a text that changes if and only if a line of the job changes; empty without lines. */
export function ledgerMarkOf(job: Pick<ImageJob, 'attempts'>): string {
  return paidAttempts(job)
    .map((attempt) => {
      const { no, state, costMicroUsd, providerRequestId } = attempt;
      return [no, state, billingOfAttempt(attempt), costMicroUsd, providerRequestId].join(' ');
    })
    .join('\n');
}

/** Returns a line as callers see it. */
export function viewLedgerLine({ version: _version, ...line }: ArchivedLine): LedgerLine {
  return {
    id: line.id,
    job_id: line.job_id,
    attempt: line.attempt,
    kind: knownOr(attemptKinds, line.kind, other),
    key_id: line.key_id,
    model: line.model,
    provider: line.provider,
    state: knownOr(attemptStates, line.state, other),
    billing: knownOr(billings, line.billing, 'possible'),
    micro_usd: line.micro_usd,
    micro_usd_possible: line.micro_usd_possible ?? null,
    provider_request_id: line.provider_request_id,
    at: line.at,
  };
}
