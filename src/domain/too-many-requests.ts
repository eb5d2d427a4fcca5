import { AppError } from './errors.ts';
import { nameOfQuota, type Quota } from './quota.ts';

const nouns = { requests: 'requests per minute', 'queued-jobs': 'waiting jobs' } as const;

/** Creates the error of a request above a limit. */
export function tooManyRequests(
  violated: Pick<Quota, 'owner' | 'unit' | 'limit'>,
  { quotas, retryAfterSeconds }: { readonly quotas: readonly Quota[]; readonly retryAfterSeconds: number },
): AppError {
  const { owner, unit, limit } = violated;
  return withoutStack(
    () =>
      new AppError('too_many_requests', {
        detail: `The limit of the ${owner} is ${limit} ${nouns[unit]}. Retry after the time in Retry-After.`,
        retryAfterSeconds,
        quotas,
        members: { 'violated-policies': [nameOfQuota(violated)] },
      }),
  );
}

/** Creates an error without its stack. A flood causes many, no stack of them is logged, and it takes most of their cost. */
function withoutStack(create: () => AppError): AppError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return create();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
