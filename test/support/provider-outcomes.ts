import { billingOf } from '../../src/domain/attempt.ts';
import { generation } from './generation.ts';
import { openAIProvider } from './provider-calls.ts';
import { respondWith, serve } from './scripted-server.ts';

export type Outcome =
  | 'quota'
  | 'key'
  | 'moderation'
  | 'rejected'
  | 'limited'
  | 'overloaded'
  | 'unknown'
  | 'unusable';

/** Job status, error code, billing and calls of each outcome, for a deployment that pays twice at most. */
export const outcomes: Record<Outcome, { status: string; code: string; billing: string; calls: number }> = {
  quota: { status: 'failed', code: 'provider_quota_exhausted', billing: 'none', calls: 1 },
  key: { status: 'failed', code: 'provider_unauthorized', billing: 'none', calls: 1 },
  moderation: { status: 'failed', code: 'moderation_blocked', billing: 'none', calls: 1 },
  rejected: { status: 'failed', code: 'provider_rejected', billing: 'none', calls: 1 },
  limited: { status: 'running', code: 'provider_rate_limited', billing: 'none', calls: 1 },
  overloaded: { status: 'running', code: 'provider_overloaded', billing: 'none', calls: 1 },
  unknown: { status: 'failed', code: 'provider_outcome_unknown', billing: 'possible', calls: 2 },
  unusable: { status: 'failed', code: 'provider_unusable_answer', billing: 'possible', calls: 1 },
};

/** Runs a whole job against a server that repeats one response. */
export async function runAgainst(status: number, body: unknown, headers: Record<string, string> = {}) {
  const server = await serve(respondWith(status, body, headers));
  const realProvider = openAIProvider(server.url);
  const made = generation({ realProvider, onQuota: 'fail', maxPaidAttempts: 2 });
  await made.runPaidCalls();
  const job = made.job();
  return {
    made,
    server,
    summary: {
      status: job.status,
      code: job.errors?.[0]?.code ?? job.attempts.at(-1)?.error,
      billing: billingOf(job.attempts),
      calls: server.seen.length,
    },
  };
}

/** Returns an error body without details. */
export const bareError = (code: unknown, type: unknown = null) => ({ error: { code, type, message: 'No.' } });
