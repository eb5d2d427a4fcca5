import type { ResponseMeta } from './providers.ts';

/** Where bytes are kept: answers on local disk, images in the storage. */

/** Names one provider answer. */
export interface SpoolKey {
  readonly tenant: string;
  readonly jobId: string;
  readonly attemptNo: number;
}

/** Answers on local disk between "paid" and "stored". */
export interface Spool {
  /** Returns once the bytes are on disk (fsync) under their final name; a broken-off body leaves nothing behind. */
  write(key: SpoolKey, head: ResponseMeta, body: AsyncIterable<Uint8Array>): Promise<void>;
  /** `null` when there is no complete answer under that name. */
  open(key: SpoolKey): Promise<{ head: ResponseMeta; body: AsyncIterable<Uint8Array> } | null>;
  /** Waits for a write of the same answer that is under way. Idempotent. */
  remove(key: SpoolKey): Promise<void>;
  /** Keys of all complete answers, in no order. */
  list(): AsyncIterable<SpoolKey>;
  /** Whether another answer may be awaited; a full spool has to stop calls, not lose answers. */
  hasRoom(): Promise<boolean>;
}

export interface LinkOptions {
  readonly expiresAtMs: number;
  readonly contentType: string;
  /** File name offered by the link. */
  readonly fileName: string;
}

export interface ImageStorage {
  /** Whether nobody but this service gives its bytes out. Its links are paths below the public address then. */
  readonly isServedHere: boolean;
  /**
   * Stores bytes under a key; the same key again replaces them. Returns only when they are safe.
   *
   * @param sha256 of the bytes, hex, where it is known: a storage that checks what arrives need not take it again.
   */
  put(key: string, bytes: Buffer, contentType: string, sha256?: string): Promise<void>;
  /** `null` when there is nothing under the key. */
  read(key: string): Promise<{ body: AsyncIterable<Uint8Array>; sizeBytes: number } | null>;
  /** Idempotent. */
  remove(key: string): Promise<void>;
  /**
   * A link that works without a key until it expires: an absolute URL, or a path below the public address where
   * Darkroom itself serves the bytes.
   */
  link(key: string, options: LinkOptions): Promise<string>;
  /** @throws AppError `storage_unavailable` saying what is wrong and what to do. */
  check(): Promise<void>;
}
