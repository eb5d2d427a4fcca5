import { type StoredImage, storageKeyOf } from '../../domain/image.ts';
import type { DecodedResponse, ImageProvider } from '../../domain/ports.ts';
import type { UploadImage } from './upload-image.ts';

/** What was done with an answer on its way to the spool. */
export interface Prepared {
  readonly response: DecodedResponse;
  /** As from `UploadImage`. */
  readonly upload: Promise<StoredImage | null>;
}

/** One answer that may be decoded and stored while it is on its way to the spool. */
export interface EarlyUpload {
  /** Passes the answer on; decodes what passes and begins to store it where there is a place for one more image. */
  watch(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** What was prepared; `null` when nothing was or there is a fault in it: then the spool is read, which tells why. */
  prepared(): Promise<Prepared | null>;
  /** Resolves when the image is in the storage; rejects when it will not be stored ahead. */
  stored(): Promise<void>;
  isStored(): boolean;
  /** Gives the place back, reads no further and tries no longer. Always call it, once stored or given up. */
  end(): void;
}

/** Holds most images of up to 1536 pixels an edge; larger ones get memory of their own. */
const placeBytes = 4 * 1024 * 1024;

interface Deps {
  provider: Pick<ImageProvider, 'decode'>;
  uploadImage: UploadImage;
}

/**
 * Spares answers the way back from the disk, and callers the time that the disk takes: they are decoded as they arrive
 * and stored while the spool is still being synced. Nothing depends on it: whoever finds the answer in the spool may
 * store it again under the same key.
 *
 * @param places how many images may be held in memory like this; answers beyond that are read from the spool later.
 */
export function createEarlyUpload(deps: Deps, slots: number) {
  let taken = 0;
  /** Free memory of the places. With new memory for each image, garbage would be collected at every other one. */
  const free: Buffer[] = [];
  const keepFree = (memory: Buffer): void => {
    // A place that was given up may have been taken again, with new memory, before its own comes back.
    if (free.length < slots) free.push(memory);
  };

  return (
    job: { readonly tenant: string; readonly id: string },
    attempt: { readonly index: number; readonly no: number },
    signal: AbortSignal,
  ): EarlyUpload => {
    const given = new AbortController();
    let holdsPlace = false;
    let isStored = false;
    let copy: ReturnType<typeof createCopy> | undefined;
    let prepared: Promise<Prepared | null> = Promise.resolve(null);

    function prepare(response: DecodedResponse, memory: Buffer): Prepared {
      const { image } = response;
      const place = { index: attempt.index, storageKey: storageKeyOf(job, attempt, image.contentType) };
      const upload = deps.uploadImage(image, place, AbortSignal.any([signal, given.signal]));
      upload.then(
        (stored) => {
          isStored = stored !== null;
          // Only what is stored is read by nobody any more: a try that was given up may still be sending.
          if (isStored) keepFree(memory);
        },
        // Whoever asks for the image hears of it; nobody may ask.
        () => {},
      );
      return { response, upload };
    }

    return {
      watch(body) {
        if (holdsPlace || taken >= slots) return body;
        holdsPlace = true;
        taken += 1;
        copy = createCopy();
        const memory = free.pop() ?? Buffer.allocUnsafeSlow(placeBytes);
        prepared = deps.provider.decode(copy.chunks(), memory).then(
          (response) => prepare(response, memory),
          () => {
            keepFree(memory);
            return null;
          },
        );
        return copy.watch(body);
      },
      prepared: () => prepared,
      async stored() {
        if (!(await (await prepared)?.upload)) throw new Error('not stored ahead');
      },
      isStored: () => isStored,
      end() {
        given.abort();
        copy?.end();
        if (holdsPlace) taken -= 1;
        holdsPlace = false;
        prepared = Promise.resolve(null);
      },
    };
  };
}
export type StartEarlyUpload = ReturnType<typeof createEarlyUpload>;

/** A second reader of a stream. The decoder reads faster than any disk writes, so hardly a chunk ever waits for it. */
function createCopy() {
  const waiting: Uint8Array[] = [];
  let over = false;
  let complete = false;
  let dispatchTask = () => {};

  return {
    async *watch(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        for await (const chunk of body) {
          if (!over) waiting.push(chunk);
          dispatchTask();
          yield chunk;
        }
        complete = true;
      } finally {
        over = true;
        dispatchTask();
      }
    },

    /** Nothing more will come: the second reader hears of it, also where the first one never began. */
    end() {
      over = true;
      dispatchTask();
    },

    async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        for (;;) {
          for (let chunk = waiting.shift(); chunk; chunk = waiting.shift()) yield chunk;
          if (complete) return;
          if (over) throw new Error('the answer broke off');
          await new Promise<void>((resolve) => {
            dispatchTask = resolve;
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
