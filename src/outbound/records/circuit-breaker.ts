import type { Cluster, Redis } from 'ioredis';
import { type ErrorCode, errorCodes } from '../../domain/errors.ts';
import type { BlockedScope, CircuitBreaker, Clock } from '../../domain/ports.ts';
import type { Keys } from './keys.ts';
import { translated } from './store-errors.ts';

/** A suspect lane rests this long after its first refusal, twice as long after every further one, up to the limit. */
const firstCooldownMs = 5_000;
const maxCooldownMs = 300_000;
/** How long a lane stays suspect without any call, and how long one probe may take. */
const probeDueMs = 24 * 3_600_000;
const probeMs = 60_000;
const waitForProbeMs = 2_000;

/**
 * Closed lanes in Redis, so that what one worker was told holds for all of them.
 */
export function createCircuitBreaker(redis: Redis | Cluster, keys: Keys, clock: Clock): CircuitBreaker {
  const closedKey = (scope: string) => keys.breaker(`${scope}:closed`);
  const probeDueKey = (scope: string) => keys.breaker(`${scope}:suspect`);
  const probeKey = (scope: string) => keys.breaker(`${scope}:probe`);
  /** What this process last knew to be suspect; saves two commands per accepted call. */
  const suspects = new Set<string>();

  async function stateOf(
    scope: string,
    [closed, suspect]: readonly (string | null | undefined)[],
  ): Promise<BlockedScope | null> {
    if (closed) {
      const [until, code] = closed.split(' ');
      return { untilMs: Number(until), code: codeOf(code) };
    }
    if (!suspect) return null;
    // A process that was not there at the refusal has to know as well, so that it reports success.
    suspects.add(scope);
    const probing = await redis.set(probeKey(scope), '1', 'PX', probeMs, 'NX');
    if (probing === 'OK') return null;
    return { untilMs: clock() + waitForProbeMs, code: codeOf(suspect.split(' ')[0]), isProbed: true };
  }

  async function rest(scope: string, untilMs: number, code: ErrorCode): Promise<void> {
    const cooldownMs = Math.max(1, Math.ceil(untilMs - clock()));
    await redis.set(closedKey(scope), `${Math.ceil(untilMs)} ${code}`, 'PX', cooldownMs);
  }

  return {
    findBlock: (scopes) =>
      translated(async () => {
        const marks = await redis.mget(scopes.flatMap((scope) => [closedKey(scope), probeDueKey(scope)]));
        // One after the other: whoever is kept back by one lane must not take the probe of the next.
        for (const [i, scope] of scopes.entries()) {
          const closed = await stateOf(scope, marks.slice(2 * i, 2 * i + 2));
          if (closed) return closed;
        }
        return null;
      }),
    close: (scope, { untilMs, code }) => translated(() => rest(scope, untilMs, code)),
    suspect: (scope, code) =>
      translated(async () => {
        const refusals = Number((await redis.get(probeDueKey(scope)))?.split(' ')[1] ?? 0);
        await redis.set(probeDueKey(scope), `${code} ${refusals + 1}`, 'PX', probeDueMs);
        await rest(
          scope,
          clock() + Math.min(maxCooldownMs, firstCooldownMs * 2 ** Math.min(refusals, 10)),
          code,
        );
        await redis.del(probeKey(scope));
        suspects.add(scope);
      }),
    failureOf: (scope) =>
      translated(async () => {
        const suspect = await redis.get(probeDueKey(scope));
        return suspect === null ? null : codeOf(suspect.split(' ')[0]);
      }),
    open: (scope) =>
      translated(async () => {
        if (!suspects.has(scope)) return;
        await redis.del(closedKey(scope), probeDueKey(scope), probeKey(scope));
        suspects.delete(scope);
      }),
  };
}

function codeOf(text: string | undefined): ErrorCode {
  return errorCodes.find((code) => code === text) ?? 'provider_unreachable';
}
