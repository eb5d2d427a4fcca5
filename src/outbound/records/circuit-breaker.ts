import type { Cluster, Redis } from 'ioredis';
import { type ErrorCode, errorCodes } from '../../domain/errors.ts';
import type { Clock, ClosedLane, ProviderGate } from '../../domain/ports.ts';
import type { Keys } from './keys.ts';
import { translated } from './store-errors.ts';

/** A suspect lane rests this long after its first refusal, twice as long after every further one, up to the limit. */
const firstRestMs = 5_000;
const maxRestMs = 300_000;
/** How long a lane stays suspect without any call, and how long one probe may take. */
const suspectMs = 24 * 3_600_000;
const probeMs = 60_000;
const waitForProbeMs = 2_000;

/**
 * Closed lanes in Redis, so that what one worker was told holds for all of them.
 */
export function createProviderGate(redis: Redis | Cluster, keys: Keys, clock: Clock): ProviderGate {
  const closedKey = (lane: string) => keys.gate(`${lane}:closed`);
  const suspectKey = (lane: string) => keys.gate(`${lane}:suspect`);
  const probeKey = (lane: string) => keys.gate(`${lane}:probe`);
  /** What this process last knew to be suspect; saves two commands per accepted call. */
  const suspects = new Set<string>();

  async function stateOf(
    lane: string,
    [closed, suspect]: readonly (string | null | undefined)[],
  ): Promise<ClosedLane | null> {
    if (closed) {
      const [until, code] = closed.split(' ');
      return { untilMs: Number(until), code: codeOf(code) };
    }
    if (!suspect) return null;
    // A process that was not there at the refusal has to know as well, so that it reports success.
    suspects.add(lane);
    const probing = await redis.set(probeKey(lane), '1', 'PX', probeMs, 'NX');
    if (probing === 'OK') return null;
    return { untilMs: clock() + waitForProbeMs, code: codeOf(suspect.split(' ')[0]), isProbed: true };
  }

  async function rest(lane: string, untilMs: number, code: ErrorCode): Promise<void> {
    const restMs = Math.max(1, Math.ceil(untilMs - clock()));
    await redis.set(closedKey(lane), `${Math.ceil(untilMs)} ${code}`, 'PX', restMs);
  }

  return {
    closedFor: (lanes) =>
      translated(async () => {
        const marks = await redis.mget(lanes.flatMap((lane) => [closedKey(lane), suspectKey(lane)]));
        // One after the other: whoever is kept back by one lane must not take the probe of the next.
        for (const [i, lane] of lanes.entries()) {
          const closed = await stateOf(lane, marks.slice(2 * i, 2 * i + 2));
          if (closed) return closed;
        }
        return null;
      }),
    close: (lane, { untilMs, code }) => translated(() => rest(lane, untilMs, code)),
    suspect: (lane, code) =>
      translated(async () => {
        const refusals = Number((await redis.get(suspectKey(lane)))?.split(' ')[1] ?? 0);
        await redis.set(suspectKey(lane), `${code} ${refusals + 1}`, 'PX', suspectMs);
        await rest(lane, clock() + Math.min(maxRestMs, firstRestMs * 2 ** Math.min(refusals, 10)), code);
        await redis.del(probeKey(lane));
        suspects.add(lane);
      }),
    refusalOf: (lane) =>
      translated(async () => {
        const suspect = await redis.get(suspectKey(lane));
        return suspect === null ? null : codeOf(suspect.split(' ')[0]);
      }),
    open: (lane) =>
      translated(async () => {
        if (!suspects.has(lane)) return;
        await redis.del(closedKey(lane), suspectKey(lane), probeKey(lane));
        suspects.delete(lane);
      }),
  };
}

function codeOf(text: string | undefined): ErrorCode {
  return errorCodes.find((code) => code === text) ?? 'provider_unreachable';
}
