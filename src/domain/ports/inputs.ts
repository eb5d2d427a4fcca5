import type { InputContentType, InputName, InputSource } from '../input-image.ts';
import type { Upload } from '../upload.ts';

/** Ports to the images that callers send. */

/** A file on the disk of this process. */
export interface LocalFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** SHA-256, hex. */
  readonly sha256: string;
  /** The tenant that sent the bytes. Files that are made from this file count towards its room too. */
  readonly tenant?: string | undefined;
}

/** Temporary files of requests. Bytes of callers stream through it and are never held in memory. */
export interface Staging {
  /**
   * Writes a stream to a new file.
   *
   * @param options.tenant the tenant that sends the bytes. Its files may have a quarter of the total size.
   * @throws AppError `payload_too_large` if the stream is longer than `maxBytes`, `too_many_requests` if the tenant has no
   *   room, `storage_unavailable` if the disk has none. No file remains.
   */
  write(
    body: AsyncIterable<Uint8Array>,
    options: { maxBytes: number; tenant?: string | undefined },
  ): Promise<LocalFile>;
  /** Removes a file. Idempotent. */
  remove(file: LocalFile): Promise<void>;
  /** Removes the files of processes that have ended. */
  sweep(): Promise<void>;
}

/** An image whose every byte was decoded. */
export interface InspectedImage {
  /** The bytes to store: those given, or a new file without metadata and with upright pixels. */
  readonly file: LocalFile;
  /** Whether `file` is a new file, which the caller has to remove. */
  readonly isRewritten: boolean;
  readonly contentType: InputContentType;
  readonly width: number;
  readonly height: number;
  readonly hasAlpha: boolean;
  /** Whether a pixel is not opaque. `null` if the caller did not need to know. */
  readonly hasTransparency: boolean | null;
}

export interface ImageInspector {
  /**
   * Decodes a file, and removes metadata from it. Bounded in memory and time.
   *
   * @throws AppError `input_invalid` with the fault and the remedy.
   */
  inspect(file: LocalFile, options: { readonly findTransparency: boolean }): Promise<InspectedImage>;
}

/** Limits of the uploads of one tenant. */
export interface UploadLimits {
  /** Size of all uploads together. */
  readonly maxBytes: number;
  readonly maxCount: number;
}

/** The records of uploads. */
export interface Uploads {
  /** Atomic. @returns false if the uploads of the tenant would exceed a limit. */
  create(upload: Upload, limits: UploadLimits): Promise<boolean>;
  get(tenant: string, id: string): Promise<Upload | null>;
  /** Returns a page, newest first. Uploads that this release cannot read are skipped and reported. */
  list(
    tenant: string,
    query: { readonly limit: number; readonly beforeId?: string | undefined },
  ): Promise<{ uploads: readonly Upload[]; nextBeforeId: string | null }>;
  /** @returns whether the upload existed. */
  remove(tenant: string, id: string): Promise<boolean>;
  /** Returns ids of uploads that expired before a time, longest expired first. */
  expired(tenant: string, beforeMs: number, limit: number): Promise<string[]>;
}

/**
 * Jobs and uploads whose bytes are written before their record. If the record is never written, the sweeper finds the bytes
 * here and deletes them.
 */
export interface InputDrafts {
  add(tenant: string, id: string, nowMs: number): Promise<void>;
  remove(tenant: string, id: string): Promise<void>;
  /** Returns ids that were added before a time, oldest first. */
  listOlder(tenant: string, beforeMs: number, limit: number): Promise<string[]>;
}

export interface InputFetcher {
  /**
   * Fetches a URL of a caller without redirects, through the guard against private addresses, into a new file.
   *
   * @param options.tenant the tenant that named the URL. The file counts towards its room.
   * @param options.signal ends the fetch.
   * @throws AppError `input_unavailable`, with the member `retryable: false` if the same request cannot succeed later;
   *   `too_many_requests` if the tenant has no room for the file now
   */
  fetch(url: string, options: { readonly tenant: string; readonly signal: AbortSignal }): Promise<LocalFile>;
}

/** An input of a request, from whatever form of request. */
export interface RequestedInput extends InputName {
  readonly from: InputOrigin;
}

/** Where the bytes of a requested input are. */
export type InputOrigin =
  | { readonly kind: 'file'; readonly file: LocalFile; readonly type: 'data' | 'multipart' }
  | { readonly kind: 'upload'; readonly id: string }
  | { readonly kind: 'image'; readonly id: string; readonly index: number }
  | { readonly kind: 'url'; readonly url: string }
  /** An input of an earlier job, which a retry repeats. */
  | { readonly kind: 'job_input'; readonly jobId: string; readonly source: InputSource };

/** A record from which an input of a new job was copied. */
export interface InputSourceRecord {
  readonly kind: 'upload' | 'job';
  readonly id: string;
  /** Pointer of the input. */
  readonly pointer: string;
}
