import type { DecodedAnswer, ImageProvider } from '../domain/ports.ts';

/** One answer that may be decoded while it is on its way to the spool. */
export interface DecodingAhead {
  /** Passes the answer on, and decodes what passes where there is a place for one more picture. */
  watch(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** What was decoded; `null` when nothing was or there is a fault in it: then the spool is read, which tells why. */
  answer(): Promise<DecodedAnswer | null>;
  /** Gives the place back. Always call it, once the picture is stored or given up. */
  end(): void;
}

/**
 * Spares answers the way back from the disk: they are decoded as they arrive, and their pictures kept until they are
 * stored. Nothing depends on it: the answer is in the spool all the same before the ledger hears of it.
 *
 * @param places how many pictures may be held in memory like this; answers beyond that are read from the spool later.
 */
export function createDecodeAhead(
  provider: Pick<ImageProvider, 'decode'>,
  places: number,
): () => DecodingAhead {
  let taken = 0;
  return () => {
    let holdsPlace = false;
    let decoded: Promise<DecodedAnswer | null> = Promise.resolve(null);
    return {
      watch(body) {
        if (holdsPlace || taken >= places) return body;
        holdsPlace = true;
        taken += 1;
        const copy = createCopy();
        decoded = provider.decode(copy.chunks()).catch(() => null);
        return copy.watch(body);
      },
      answer: () => decoded,
      end() {
        if (holdsPlace) taken -= 1;
        holdsPlace = false;
        decoded = Promise.resolve(null);
      },
    };
  };
}
export type DecodeAhead = ReturnType<typeof createDecodeAhead>;

/** A second reader of a stream. The decoder reads faster than any disk writes, so hardly a chunk ever waits for it. */
function createCopy() {
  const waiting: Uint8Array[] = [];
  let over = false;
  let complete = false;
  let wake = () => {};

  return {
    async *watch(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        for await (const chunk of body) {
          if (!over) waiting.push(chunk);
          wake();
          yield chunk;
        }
        complete = true;
      } finally {
        over = true;
        wake();
      }
    },

    async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        for (;;) {
          for (let chunk = waiting.shift(); chunk; chunk = waiting.shift()) yield chunk;
          if (complete) return;
          if (over) throw new Error('the answer broke off');
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      } finally {
        // A decoder that found a fault reads no further.
        over = true;
        waiting.length = 0;
      }
    },
  };
}
