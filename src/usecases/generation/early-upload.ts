import { type CallName, type StoredImage, storageKeyOf } from '../../domain/image.ts';
import type { LoggedJob } from '../../domain/job-log-fields.ts';
import type { DecodedResponse, ImageProvider } from '../../domain/ports.ts';
import type { SharedBytes } from '../../lib/shared-bytes.ts';
import { createStreamCopy } from './stream-copy.ts';
import type { UploadImage } from './upload-image.ts';

/** Result of decoding and uploading a response while it is still being spooled. */
export interface Prepared {
  readonly response: DecodedResponse;
  /** The result of `UploadImage`. */
  readonly upload: Promise<StoredImage | null>;
}

/** The early upload of one response. */
export interface EarlyUpload {
  /** Passes the response on. Decodes and uploads it at the same time if a slot for one more image is free. */
  watch(body: AsyncIterable<Uint8Array>, call: CallName): AsyncIterable<Uint8Array>;
  /** Returns the prepared response. `null` if there is none or it is faulty; reading the spool then reports the fault. */
  prepared(): Promise<Prepared | null>;
  /** Resolves when the image is in the storage. Rejects if it will not be uploaded early. */
  stored(): Promise<void>;
  isStored(): boolean;
  /** Whether the response is being decoded, so that its image may be stored even if it is not spooled. */
  isReading(): boolean;
  /** Releases the slot and stops reading and uploading. Idempotent. Another response may be watched afterwards. */
  end(): void;
}

/** Holds most images of up to 1536 pixels an edge. Larger ones allocate memory of their own. */
const slotBytes = 4 * 1024 * 1024;

interface Deps {
  provider: Pick<ImageProvider, 'decode'>;
  uploadImage: UploadImage;
  /** Shares a stored image with callers of this process. */
  shareImage: SharedBytes['share'];
}

interface JobOfUpload {
  readonly job: LoggedJob;
  readonly signal: AbortSignal;
}

/**
 * Optimization: decodes and uploads a response while it streams to disk. Correctness never depends on it, because every
 * reader of the spool may store the image again under the same key.
 *
 * The returned function runs work with one early upload and ends it afterwards, whatever the result. It is the only owner.
 *
 * @param maxImages number of images held in memory like this. Further responses are read from the spool later.
 */
export function createWithEarlyUpload(deps: Deps, maxImages: number) {
  const slots = createSlots(maxImages);
  return async <T>(run: JobOfUpload, work: (earlyUpload: EarlyUpload) => Promise<T>): Promise<T> => {
    const earlyUpload = createEarlyUpload(deps, slots, run);
    try {
      return await work(earlyUpload);
    } finally {
      earlyUpload.end();
    }
  };
}
export type WithEarlyUpload = ReturnType<typeof createWithEarlyUpload>;

/** Counts the images in memory and reuses their buffers. New memory for each image would cause constant garbage collection. */
function createSlots(max: number) {
  let taken = 0;
  const free: Buffer[] = [];
  return {
    /** Takes a slot. Returns `null` if none is free. */
    take(): Buffer | null {
      if (taken >= max) return null;
      taken += 1;
      return free.pop() ?? Buffer.allocUnsafeSlow(slotBytes);
    },
    release(): void {
      taken -= 1;
    },
    /** Returns a buffer that nothing reads any more. A released slot may have been taken again with new memory before. */
    reuse(memory: Buffer): void {
      if (free.length < max) free.push(memory);
    },
  };
}

function createEarlyUpload(
  deps: Deps,
  slots: ReturnType<typeof createSlots>,
  { job, signal }: JobOfUpload,
): EarlyUpload {
  let ended = new AbortController();
  let hasSlot = false;
  let isStored = false;
  let copy: ReturnType<typeof createStreamCopy> | undefined;
  let prepared: Promise<Prepared | null> = Promise.resolve(null);

  function upload(response: DecodedResponse, call: CallName, memory: Buffer): Prepared {
    const { image } = response;
    const storageKey = storageKeyOf(job, call, image.contentType);
    const target = { job, index: call.index, storageKey };
    const uploaded = deps.uploadImage(image, target, { signal: AbortSignal.any([signal, ended.signal]) });
    uploaded.then(
      (stored) => {
        isStored = stored !== null;
        // Only the buffer of a stored image becomes free: an abandoned upload may still be sending.
        if (isStored) void deps.shareImage(job.id, storageKey, image.bytes).then(() => slots.reuse(memory));
      },
      // Reported by `prepared` if a caller needs the image.
      () => {},
    );
    return { response, upload: uploaded };
  }

  return {
    watch(body, call) {
      const memory = hasSlot ? null : slots.take();
      if (!memory) return body;
      hasSlot = true;
      // A call may receive its response again after a break, which ended the upload of the first part.
      ended = new AbortController();
      copy = createStreamCopy();
      prepared = deps.provider.decode(copy.chunks(), memory).then(
        (response) => upload(response, call, memory),
        () => {
          slots.reuse(memory);
          return null;
        },
      );
      return copy.watch(body);
    },
    prepared: () => prepared,
    async stored() {
      if (!(await (await prepared)?.upload)) throw new Error('not uploaded early');
    },
    isStored: () => isStored,
    isReading: () => copy?.isRead() ?? false,
    end() {
      // The default reason would be an error with a stack for each image.
      ended.abort('ended');
      copy?.end();
      if (hasSlot) slots.release();
      hasSlot = false;
      prepared = Promise.resolve(null);
    },
  };
}
