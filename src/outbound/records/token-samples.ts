import type { Cluster, Redis } from 'ioredis';
import { z } from 'zod';
import type { Clock, TokenSampleStore } from '../../domain/ports.ts';
import { maxSamples, type TokenSample, type TokenSamples } from '../../domain/token-samples.ts';
import { every } from '../../lib/every.ts';
import type { Keys } from './keys.ts';
import { createRecordSamples } from './scripts/record-samples.ts';

/** Age of the figures that a process uses, in milliseconds, and pause between two writes. */
const refreshMs = 2_000;
const writeMs = 500;
/** Kinds whose samples wait for a write. An outage of Redis must not fill the memory. */
const maxWaitingKinds = 1_000;

const amount = z.number().min(0).default(0);
const Figures = z.looseObject({
  output: amount,
  inputImages: amount,
  textFactor: amount,
  hostMicroUsd: amount,
});
const Summary = z.looseObject({ median: Figures, max: Figures });

/**
 * Creates the store of tokens of earlier images. A process holds the figures of all kinds in memory and reads them every two
 * seconds. Samples are written in batches, after the images are stored. During an outage of Redis the last known figures
 * stay in use, and samples are dropped.
 */
export function createTokenSampleStore(
  redis: Redis | Cluster,
  keys: Pick<Keys, 'tokens'>,
  { clock, onError }: { clock: Clock; onError: (error: unknown) => void },
): TokenSampleStore & { close(): Promise<void> } {
  const recordSamples = createRecordSamples(redis, keys);
  let figures = new Map<string, TokenSamples>();
  let waiting = new Map<string, TokenSample[]>();

  async function refresh(): Promise<void> {
    const stored = Object.entries(await redis.hgetall(keys.tokens('summary')));
    figures = new Map(stored.flatMap(([kind, text]) => entryOf(kind, text)));
  }

  async function write(): Promise<void> {
    const written = waiting;
    waiting = new Map();
    for (const [kind, samples] of written) {
      for (const [name, known] of entryOf(kind, await recordSamples(kind, samples, clock()))) {
        figures.set(name, known);
      }
    }
  }

  const stopRefresh = every(refreshMs, refresh, { onError, firstAfterMs: 0 });
  const stopWrite = every(writeMs, write, { onError });
  return {
    find: (kind) => figures.get(kind),
    record(kind, sample) {
      const samples = waiting.get(kind);
      if (samples) {
        samples.push(sample);
        if (samples.length > maxSamples) samples.shift();
      } else if (waiting.size < maxWaitingKinds) waiting.set(kind, [sample]);
    },
    async close() {
      await Promise.all([stopRefresh(), stopWrite()]);
      await write().catch(onError);
    },
  };
}

/** Returns the figures of a kind; nothing if this release cannot read them. */
function entryOf(kind: string, text: string): [string, TokenSamples][] {
  const parsed = Summary.safeParse(parseJson(text));
  return parsed.success ? [[kind, parsed.data]] : [];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
