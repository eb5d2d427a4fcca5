import type { Cluster, Redis } from 'ioredis';
import { z } from 'zod';
import { type ErrorCode, errorCodes } from '../../domain/errors.ts';
import type { BlockedScope, CircuitBreaker, Clock, OpenBreaker } from '../../domain/ports.ts';
import { maxProbeIntervalMs } from '../../domain/retry-schedule.ts';
import { storedObject } from '../../domain/stored.ts';
import type { Keys } from './keys.ts';
import { translated } from './store-errors.ts';

/** Cooldown before the first probe. It doubles with every further failure, up to the maximum. */
const firstCooldownMs = 5_000;
/** Time for one probe. Afterwards another caller may probe. */
const probeMs = 30_000;
const waitForProbeMs = 2_000;

/** A state as JSON in the hash. */
const State = storedObject({
  code: z.string(),
  openedAt: z.number(),
  failedAt: z.number(),
  probeAt: z.number(),
  until: z.number().nullable(),
  failures: z.number(),
});
type State = z.infer<typeof State>;

/**
 * Creates the circuit breakers. One Redis hash stores the open breakers, so that a failure at one worker blocks all workers.
 * Times come from the clocks of the workers.
 */
export function createCircuitBreaker(redis: Redis | Cluster, keys: Keys, clock: Clock): CircuitBreaker {
  const openKey = keys.breaker('open');
  const probeKey = (scope: string) => keys.breaker(`probe:${scope}`);
  /** Scopes that this process saw open. The set saves a command per accepted call in all other scopes. */
  const seenOpen = new Set<string>();

  async function readStates(scopes: readonly string[]): Promise<(State | null)[]> {
    const texts = await redis.hmget(openKey, ...scopes);
    return texts.map((text, i) => currentState(text, scopes[i] ?? ''));
  }

  /** Parses a state. Returns `null` if the breaker is closed or its time is over. */
  function currentState(text: string | null, scope: string): State | null {
    const state = text === null ? null : parseState(text);
    if (state && (state.until === null || state.until > clock())) {
      seenOpen.add(scope);
      return state;
    }
    seenOpen.delete(scope);
    return null;
  }

  async function blockOf(scope: string, state: State | null): Promise<BlockedScope | null> {
    if (!state) return null;
    const nowMs = clock();
    const code = codeOf(state.code);
    const probeAt = probeTimeOf(state, nowMs);
    if (probeAt > nowMs) return { scope, untilMs: Math.min(probeAt, state.until ?? probeAt), code };
    const isProbe = await redis.set(probeKey(scope), '1', 'PX', probeMs, 'NX');
    return isProbe === 'OK' ? null : { scope, untilMs: nowMs + waitForProbeMs, code, isProbed: true };
  }

  async function close(scope: string): Promise<boolean> {
    const removed = await redis.hdel(openKey, scope);
    await redis.del(probeKey(scope));
    seenOpen.delete(scope);
    return removed > 0;
  }

  return {
    findBlock: (scopes) =>
      translated(async () => {
        const states = await readStates(scopes);
        // Sequential, because a caller that one scope blocks must not use the probe of the next scope.
        for (const [i, scope] of scopes.entries()) {
          const block = await blockOf(scope, states[i] ?? null);
          if (block) return block;
        }
        return null;
      }),
    open: (scope, { code, forMs }) =>
      translated(async () => {
        const [before] = await readStates([scope]);
        const nowMs = clock();
        const failures = (before?.failures ?? 0) + 1;
        const cooldownMs = Math.min(maxProbeIntervalMs, firstCooldownMs * 2 ** Math.min(failures - 1, 10));
        const state: State = {
          ...before,
          code,
          openedAt: before?.openedAt ?? nowMs,
          failedAt: nowMs,
          // A block of limited duration is probed as late as allowed, because the provider stated the duration. It may end
          // before that probe.
          probeAt: nowMs + (forMs === undefined ? cooldownMs : maxProbeIntervalMs),
          until: forMs === undefined ? null : nowMs + Math.max(1, Math.ceil(forMs)),
          failures,
        };
        await redis.hset(openKey, scope, JSON.stringify(state));
        await redis.del(probeKey(scope));
        seenOpen.add(scope);
      }),
    recordSuccess: (scopes, startedAtMs) =>
      translated(async () => {
        const seen = scopes.filter((scope) => seenOpen.has(scope));
        if (seen.length === 0) return [];
        const states = await readStates(seen);
        const nowMs = clock();
        const recovered = seen.filter((_, i) => hasRecovered(states[i] ?? null, { startedAtMs, nowMs }));
        for (const scope of recovered) await close(scope);
        return recovered;
      }),
    reset: (scope) => translated(() => close(scope)),
    list: () =>
      translated(async () => {
        const all = Object.entries(await redis.hgetall(openKey));
        const nowMs = clock();
        const open = all.map(([scope, text]) => ({ scope, text, state: currentState(text, scope) }));
        // A state that only another release can read stays for that release.
        const closed = open.flatMap(({ scope, text, state }) => (state || !parseState(text) ? [] : [scope]));
        if (closed.length > 0) await redis.hdel(openKey, ...closed);
        return open.flatMap(({ scope, state }) => (state ? [shown(scope, state, nowMs)] : []));
      }),
  };
}

function parseState(text: string): State | null {
  try {
    return State.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Whether the clock was set back since a failure, or another worker has a faster one: no cooldown is that long. */
const isOfLaterClock = ({ probeAt }: State, nowMs: number): boolean => probeAt - nowMs > maxProbeIntervalMs;

/** Returns when the next probe may be made. A time of a later clock would block the scope for hours, so it is due. */
const probeTimeOf = (state: State, nowMs: number): number =>
  isOfLaterClock(state, nowMs) ? nowMs : state.probeAt;

/** Whether a successful call proves that its scope works again. A failure of a later clock cannot be compared with its start. */
function hasRecovered(state: State | null, call: { startedAtMs: number; nowMs: number }): boolean {
  return state !== null && (state.failedAt <= call.startedAtMs || isOfLaterClock(state, call.nowMs));
}

const shown = (scope: string, state: State, nowMs: number): OpenBreaker => ({
  scope,
  code: codeOf(state.code),
  openedAtMs: state.openedAt,
  nextProbeAtMs: Math.min(probeTimeOf(state, nowMs), state.until ?? state.probeAt),
  untilMs: state.until,
  failures: state.failures,
});

function codeOf(text: string): ErrorCode {
  return errorCodes.find((code) => code === text) ?? 'provider_unreachable';
}
