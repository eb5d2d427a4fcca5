import { Readable } from 'node:stream';
import type { PutObjectCommand } from '@aws-sdk/client-s3';
import { AppError } from '../../../domain/errors.ts';
import type { Clock, ImageStorage, LinkOptions } from '../../../domain/ports.ts';
import { inlineDisposition } from '../../../lib/content-disposition.ts';
import { assertStorageKey } from '../storage-key.ts';
import { boundedBody } from './s3-body.ts';
import { askForBucket, unusableBucket } from './s3-check.ts';
import { defaultTimeoutMs, openS3, type S3Access, type S3StorageConfig } from './s3-client.ts';
import { readS3Fault, s3Error, timeoutError } from './s3-errors.ts';

// A key names the same bytes for ever. Private: they belong to one tenant.
const cacheControl = 'private, max-age=31536000, immutable';
/** The longest life that signature version 4 allows a link. */
const maxLinkSeconds = 604_800;

/**
 * Images in a bucket of S3 or of a server that speaks its API. The SDK is loaded with the first call. Every call is
 * bounded by `timeoutMs`. What `read` returns is a stream of Node that holds a connection until it is read to its end
 * or destroyed. Links are presigned without a network call (unless a credential chain has to be asked), live for 1 s
 * to 7 days, and with credentials of a role no longer than these.
 *
 * @throws AppError `storage_unavailable` for an outage, `storage_failed` for what retries cannot heal.
 */
export function createS3Storage(
  config: S3StorageConfig,
  deps: { clock: Clock },
): ImageStorage & { close(): Promise<void> } {
  if ((config.accessKeyId === undefined) !== (config.secretAccessKey === undefined)) {
    throw new Error('S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY belong together: set both or none.');
  }
  const timeoutMs = config.timeoutMs ?? defaultTimeoutMs;
  let opening: Promise<S3Access> | undefined;
  const open = () => {
    opening ??= openS3(config);
    return opening;
  };
  return {
    isServedHere: false,
    async put(key, bytes, contentType, sha256) {
      assertStorageKey(key);
      await bounded(timeoutMs, async (signal) =>
        put(await open(), config, { key, bytes, contentType, sha256 }, signal),
      );
    },
    async read(key) {
      assertStorageKey(key);
      return bounded(timeoutMs, async (signal) => read(await open(), config, key, { signal, timeoutMs }));
    },
    async remove(key) {
      assertStorageKey(key);
      await bounded(timeoutMs, async (signal) => remove(await open(), config, key, signal));
    },
    async link(key, options) {
      assertStorageKey(key);
      return bounded(timeoutMs, async () => presign(await open(), config, key, options, deps.clock()));
    },
    async check() {
      try {
        await untilDeadline(timeoutMs, async (signal) => askForBucket(await open(), config, signal));
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

/** Runs one call, all its tries together, until a deadline; then it is aborted and given up, even if it hangs on. */
async function untilDeadline<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      deadline.abort();
      reject(timeoutError(`S3 did not answer within ${timeoutMs} ms.`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(deadline.signal), expiry]);
  } finally {
    clearTimeout(timer);
  }
}

async function put(
  access: S3Access,
  config: S3StorageConfig,
  object: { key: string; bytes: Buffer; contentType: string; sha256: string | undefined },
  abortSignal: AbortSignal,
): Promise<void> {
  // A buffered body goes out with its length and its SHA-256 under the signature, so a server stores these bytes or none.
  const command = new access.sdk.PutObjectCommand({
    Bucket: config.bucket,
    Key: object.key,
    Body: object.bytes,
    ContentLength: object.bytes.length,
    ContentType: object.contentType,
    CacheControl: cacheControl,
  });
  if (object.sha256 !== undefined) presetDigest(command, object.sha256);
  await access.client.send(command, { abortSignal });
}

/** The signature takes the digest from its header where there is one, and else from the bytes once more. */
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
  config: S3StorageConfig,
  key: string,
  limits: { signal: AbortSignal; timeoutMs: number },
): Promise<{ body: Readable; sizeBytes: number } | null> {
  const command = new access.sdk.GetObjectCommand({ Bucket: config.bucket, Key: key });
  try {
    const response = await access.client.send(command, { abortSignal: limits.signal });
    const { Body: body, ContentLength: sizeBytes } = response;
    if (body instanceof Readable && sizeBytes !== undefined) {
      return { body: boundedBody(body, limits.timeoutMs), sizeBytes };
    }
    if (body instanceof Readable) body.destroy();
    throw new AppError('storage_failed', { detail: 'The image storage did not say how large the image is.' });
  } catch (error) {
    const fault = readS3Fault(error);
    if (fault.status === 404 && fault.reason !== 'NoSuchBucket') return null;
    throw error;
  }
}

async function remove(
  access: S3Access,
  config: S3StorageConfig,
  key: string,
  abortSignal: AbortSignal,
): Promise<void> {
  const command = new access.sdk.DeleteObjectCommand({ Bucket: config.bucket, Key: key });
  try {
    await access.client.send(command, { abortSignal });
  } catch (error) {
    if (readS3Fault(error).reason !== 'NoSuchKey') throw error;
  }
}

/** A signature's time has whole seconds, so both ends are rounded down: a link never outlives `expiresAtMs`. */
async function presign(
  access: S3Access,
  config: S3StorageConfig,
  key: string,
  options: LinkOptions,
  nowMs: number,
): Promise<string> {
  const signedAtSeconds = Math.floor(nowMs / 1000);
  const lifeSeconds = Math.floor(options.expiresAtMs / 1000) - signedAtSeconds;
  const command = new access.sdk.GetObjectCommand({
    Bucket: config.bucket,
    Key: key,
    ResponseContentType: options.contentType,
    ResponseContentDisposition: inlineDisposition(options.fileName),
  });
  return access.presigner.getSignedUrl(access.linkClient, command, {
    expiresIn: Math.min(maxLinkSeconds, Math.max(1, lifeSeconds)),
    signingDate: new Date(signedAtSeconds * 1000),
  });
}
