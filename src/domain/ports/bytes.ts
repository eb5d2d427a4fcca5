import type { LinkTimes } from '../link-times.ts';
import type { LocalFile } from './inputs.ts';
import type { ResponseMeta } from './providers.ts';

/** Ports to stored bytes: provider responses on local disk, images in the storage. */

/** Identifies one provider response. */
export interface SpoolKey {
  readonly tenant: string;
  readonly jobId: string;
  readonly attemptNo: number;
}

/** Facts about a spooled response that its body does not contain. */
export interface SpoolHead extends ResponseMeta {
  /** Name of the provider that produced the response. Only that provider can decode it. */
  readonly provider: string;
  /** Index of the image. Absent in responses of earlier releases, as `startedAt`. */
  readonly index?: number;
  /** Time at which the call started, in epoch ms. */
  readonly startedAt?: number;
}

/**
 * A complete spooled response. An `unknown` format was written by a newer release: the response is paid, must stay in the
 * spool and must not be requested again.
 */
export type SpooledResponse =
  | { readonly format: 'known'; readonly head: SpoolHead; readonly body: AsyncIterable<Uint8Array> }
  | { readonly format: 'unknown'; readonly version: number };

/** One file of the spool. A `damaged` file has no readable head; `open` returns `null` for it. */
export type SpoolEntry = { readonly key: SpoolKey } & (
  | { readonly format: 'known'; readonly provider: string }
  | { readonly format: 'unknown'; readonly version: number }
  | { readonly format: 'damaged' }
);

export interface ThumbnailMaker {
  /**
   * Makes the thumbnail and the placeholder of an image, bounded in memory and time.
   *
   * @returns `null` if the bytes cannot be decoded.
   * @throws what the body throws.
   */
  make(body: AsyncIterable<Uint8Array>): Promise<{ readonly bytes: Buffer; readonly hash: string } | null>;
}

/** Provider responses on local disk between payment and storage. */
export interface Spool {
  /**
   * Writes a response. Resolves after the bytes are on disk (fsync) under their final name. If the body fails, no file
   * remains.
   */
  write(key: SpoolKey, head: SpoolHead, body: AsyncIterable<Uint8Array>): Promise<void>;
  /** Opens a response. Returns `null` if there is no complete response under the key. */
  open(key: SpoolKey): Promise<SpooledResponse | null>;
  /** Removes a response after any write of it in this process has ended. Idempotent. */
  remove(key: SpoolKey): Promise<void>;
  /**
   * Finishes responses whose writer died after the last byte. Removes other unfinished responses that no living process
   * writes, and all those that are not wanted any more. Callers repeat it, because a writer may die at any time.
   */
  removeUnfinished(isWanted: (key: SpoolKey) => Promise<boolean>): Promise<void>;
  /** Lists all responses of this disk, unordered. Throws the first fault of a file after all files that can be read. */
  list(): AsyncIterable<SpoolEntry>;
  /** Returns whether a further response fits. If not, callers must make no provider call, because its response would be lost. */
  hasCapacity(): Promise<boolean>;
  /** Checks that responses can be written. @throws AppError `storage_failed` with the fault and the remedy. */
  check(): Promise<void>;
}

export interface LinkOptions extends LinkTimes {
  readonly contentType: string;
  /** File name that the link offers to browsers. */
  readonly fileName: string;
}

export interface ImageStorage {
  /** Whether only Darkroom serves the bytes. Links are then paths below the public URL. */
  readonly isServedHere: boolean;
  /**
   * Stores bytes under a key and replaces earlier bytes. Resolves after the bytes are durable.
   *
   * @param sha256 SHA-256 of the bytes, hex, if the caller knows it. It saves a storage that verifies uploads the
   *   computation.
   */
  put(key: string, bytes: Buffer, options: { contentType: string; sha256?: string }): Promise<void>;
  /** Stores a file like `put`, without reading it into memory. */
  putFile(key: string, file: LocalFile, options: { contentType: string }): Promise<void>;
  /** Copies bytes to another key, and returns false if there are none. Resolves after the copy is durable. */
  copy(from: string, to: string, options: { contentType: string }): Promise<boolean>;
  /** Reads the bytes under a key. Returns `null` if there are none. */
  read(key: string): Promise<{ body: AsyncIterable<Uint8Array>; sizeBytes: number } | null>;
  /** Lists the keys in a folder `tenant/name`, unordered. */
  list(folder: string): Promise<string[]>;
  /** Removes the bytes under a key. Idempotent. */
  remove(key: string): Promise<void>;
  /**
   * Creates a link that works without an API key until it expires: an absolute URL, or a path below the public URL if
   * Darkroom serves the bytes.
   */
  link(key: string, options: LinkOptions): Promise<string>;
  /**
   * Checks that the storage is reachable and usable.
   *
   * @throws AppError `storage_unavailable` with the fault and the remedy.
   */
  check(): Promise<void>;
}
