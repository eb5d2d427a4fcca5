import type { FastifyReply } from 'fastify';
import { AppError, type ErrorCode } from '../../domain/errors.ts';
import { untilCallerLeaves } from './draining.ts';

/** Pause between two checks of the caller's key. Cached policies, which add to the delay, are at most a second old. */
const checkMs = 1_000;

/** Refusals that end a response. Another failure of the check, such as an outage of the store, ends nothing. */
const lasting: ReadonlySet<ErrorCode> = new Set(['unauthorized', 'tenant_suspended', 'insufficient_scope']);

/** Returns the refusal of a caller that lost its access, if that is why the signal aborted. */
export const lostAccess = ({ reason }: AbortSignal): AppError | null =>
  reason instanceof AppError ? reason : null;

/**
 * Returns a signal like `untilCallerLeaves` that also aborts within two seconds after the caller lost its access: its key was
 * revoked, disabled or replaced, expired, or lost the scope of the route, or its tenant was suspended.
 */
export function whileAllowed(draining: AbortSignal, reply: FastifyReply): AbortSignal {
  const left = untilCallerLeaves(draining, reply);
  const ended = new AbortController();
  const { request } = reply;
  let timer: NodeJS.Timeout | undefined;
  async function check(): Promise<void> {
    try {
      await request.checkAccess?.();
    } catch (error) {
      if (error instanceof AppError && lasting.has(error.code)) ended.abort(error);
    }
    if (!ended.signal.aborted) timer = setTimeout(check, checkMs);
  }
  const end = () => {
    clearTimeout(timer);
    ended.abort();
  };
  if (left.aborted) {
    end();
    return ended.signal;
  }
  left.addEventListener('abort', end, { once: true });
  timer = setTimeout(check, checkMs);
  return ended.signal;
}
