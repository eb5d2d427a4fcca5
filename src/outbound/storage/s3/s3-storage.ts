import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { PutObjectCommand } from '@aws-sdk/client-s3';
import { AppError } from '../../../domain/errors.ts';
import type { ImageStorage, LocalFile } from '../../../domain/ports.ts';
import { assertStorageFolder, assertStorageKey } from '../storage-key.ts';
import { listObjects } from './list-objects.ts';
import { assertETag } from './response-check.ts';
import { boundedBody } from './s3-body.ts';
import { checkBucket, unusableBucket } from './s3-check.ts';
import { defaultTimeoutMs, openS3, type S3Access, type S3StorageConfig } from './s3-client.ts';
import { notS3Name, readS3Fault, s3Error, timeoutError } from './s3-errors.ts';
import { createSignLink, type SignLink } from './sign-links.ts';

// The bytes of a key never change, and they belong to one tenant.
const cacheControl = 'private, max-age=31536000, immutable';

/**
 * Stores images in a bucket of S3 or of a server with its API. The first call loads the SDK. Every call is bounded by
 * `timeoutMs`. `read` returns a Node stream that holds a connection until it is read to the end or destroyed.
 *
 * Links are presigned without a network call, except for a credential chain. They are valid for 1 s to 7 days, and not
 * longer than the credentials of a role.
 *
 * @throws AppError `storage_unavailable` for an outage, `storage_failed` for failures that retries cannot fix.
 */
export function createS3Storage(config: S3StorageConfig): ImageStorage & { close(): Promise<void> } {
  if ((config.accessKeyId === undefined) !== (config.secretAccessKey === undefined)) {
    throw new Error('S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY belong together. Set both or neither.');
  }
  const timeoutMs = config.timeoutMs ?? defaultTimeoutMs;
  let opening: Promise<S3Access> | undefined;
  const open = () => {
    opening ??= openS3(config);
    return opening;
  };
  let signing: Promise<SignLink> | undefined;
  const openSigner = () => {
    signing ??= open().then((access) => createSignLink(access, config.bucket));
    // A credential chain may fail for a moment.
    signing.catch(() => (signing = undefined));
    return signing;
  };
  return {
    isServedHere: false,
    async put(key, bytes, { contentType, sha256 }) {
      assertStorageKey(key);
      const object = { Bucket: config.bucket, Key: key, Body: bytes, ContentType: contentType };
      await bounded(timeoutMs, async (signal) => put(await open(), { ...object, sha256 }, signal));
    },
    async putFile(key, file, { contentType }) {
      assertStorageKey(key);
      const object = { Bucket: config.bucket, Key: key, ContentType: contentType };
      await bounded(timeoutMs, async (signal) => putFile(await open(), { ...object, file }, signal));
    },
    async copy(from, to, { contentType }) {
      assertStorageKey(from);
      assertStorageKey(to);
      const object = { Bucket: config.bucket, Key: to, ContentType: contentType };
      return bounded(timeoutMs, async (signal) => copy(await open(), { ...object, from }, signal));
    },
    async read(key) {
      assertStorageKey(key);
      const object = { Bucket: config.bucket, Key: key };
      return bounded(timeoutMs, async (signal) => read(await open(), object, { signal, timeoutMs }));
    },
    async list(folder) {
      assertStorageFolder(folder);
      const query = { Bucket: config.bucket, Prefix: `${folder}/` };
      return bounded(timeoutMs, async (signal) => listObjects(await open(), query, signal));
    },
    async remove(key) {
      assertStorageKey(key);
      const object = { Bucket: config.bucket, Key: key };
      await bounded(timeoutMs, async (signal) => remove(await open(), object, signal));
    },
    async link(key, options) {
      assertStorageKey(key);
      return bounded(timeoutMs, async () => {
        const sign = await openSigner();
        return sign(key, options);
      });
    },
    async check() {
      try {
        await untilDeadline(timeoutMs, async (signal) => checkBucket(await open(), config, signal));
      } catch (error) {
        throw unusableBucket(error, config);
      }
    },
    async close() {
      const access = await opening?.catch(() => undefined);
      access?.client.destroy();
      access?.linkClient.destroy();
    },
  };
}

async function bounded<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  try {
    return await untilDeadline(timeoutMs, work);
  } catch (error) {
    throw s3Error(error);
  }
}

/** Runs one call including its retries until a deadline. Then aborts it and rejects, even if the call ignores the abort. */
async function untilDeadline<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      deadline.abort();
      reject(timeoutError(`S3 did not respond within ${timeoutMs} ms.`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(deadline.signal), expiry]);
  } finally {
    clearTimeout(timer);
  }
}

/** Names one object. */
type ObjectName = { readonly Bucket: string; readonly Key: string };

async function put(
  access: S3Access,
  { sha256, ...object }: ObjectName & { Body: Buffer; ContentType: string; sha256: string | undefined },
  abortSignal: AbortSignal,
): Promise<void> {
  // The length and the SHA-256 of the buffered body are signed, so a server stores exactly these bytes or none.
  const command = new access.sdk.PutObjectCommand({
    ...object,
    ContentLength: object.Body.length,
    CacheControl: cacheControl,
  });
  if (sha256 !== undefined) presetDigest(command, sha256);
  assertETag((await access.client.send(command, { abortSignal })).ETag);
}

/** Stores a file with its length and its known digest. The stream cannot be repeated, so the SDK does not retry the call. */
async function putFile(
  access: S3Access,
  { file, ...object }: ObjectName & { ContentType: string; file: LocalFile },
  abortSignal: AbortSignal,
): Promise<void> {
  const body = createReadStream(file.path);
  const command = new access.sdk.PutObjectCommand({
    ...object,
    Body: body,
    ContentLength: file.sizeBytes,
    CacheControl: cacheControl,
  });
  presetDigest(command, file.sha256);
  // The SDK neither listens for errors of the stream nor closes it after a failed call.
  const unreadable = new Promise<never>((_, reject) => body.on('error', reject));
  try {
    const response = await Promise.race([access.client.send(command, { abortSignal }), unreadable]);
    assertETag(response.ETag);
  } finally {
    body.destroy();
  }
}

async function copy(
  access: S3Access,
  { from, ...object }: ObjectName & { ContentType: string; from: string },
  abortSignal: AbortSignal,
): Promise<boolean> {
  const command = new access.sdk.CopyObjectCommand({
    ...object,
    CopySource: `${object.Bucket}/${from}`,
    MetadataDirective: 'REPLACE',
    CacheControl: cacheControl,
  });
  try {
    const response = await access.client.send(command, { abortSignal });
    assertETag(response.CopyObjectResult?.ETag);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Returns whether S3 says that the object does not exist. */
function isMissing(error: unknown): boolean {
  const fault = readS3Fault(error);
  return fault.status === 404 && fault.reason !== 'NoSuchBucket' && fault.reason !== notS3Name;
}

/** Sets the header with the digest. Without it the signer would hash the bytes again. */
function presetDigest(command: PutObjectCommand, sha256: string): void {
  command.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      headers['x-amz-content-sha256'] = sha256;
      return next(args);
    },
    { step: 'build', name: 'presetDigest' },
  );
}

async function read(
  access: S3Access,
  object: ObjectName,
  limits: { signal: AbortSignal; timeoutMs: number },
): Promise<{ body: Readable; sizeBytes: number } | null> {
  const command = new access.sdk.GetObjectCommand(object);
  try {
    const response = await access.client.send(command, { abortSignal: limits.signal });
    const { Body: body, ContentLength: sizeBytes } = response;
    if (body instanceof Readable && response.ETag === undefined) body.destroy();
    assertETag(response.ETag);
    if (body instanceof Readable && sizeBytes !== undefined) {
      return { body: boundedBody(body, limits.timeoutMs), sizeBytes };
    }
    if (body instanceof Readable) body.destroy();
    throw new AppError('storage_failed', { detail: 'The image storage sent no Content-Length.' });
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function remove(access: S3Access, object: ObjectName, abortSignal: AbortSignal): Promise<void> {
  const command = new access.sdk.DeleteObjectCommand(object);
  try {
    await access.client.send(command, { abortSignal });
  } catch (error) {
    if (readS3Fault(error).reason !== 'NoSuchKey') throw error;
  }
}
