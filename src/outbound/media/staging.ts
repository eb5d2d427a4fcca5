import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, stat, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../domain/errors.ts';
import type { LocalFile, Staging } from '../../domain/ports.ts';
import { type FileWriter, isAbandoned, thisWriter } from '../../lib/file-writer.ts';
import { systemCode } from '../../lib/system-code.ts';

export interface StagingOptions {
  /** Total size of the files of this process, in bytes, above which no further file is accepted. Default 8 GiB. */
  readonly maxTotalBytes?: number;
}

/** Share of the total size that the files of one tenant may have. */
const tenantShare = 1 / 4;
const defaultMaxTotalBytes = 8 * 1024 ** 3;
/** Minimum free space on the disk, in bytes, reserved for the spool of paid responses. */
const reservedBytes = 512 * 1024 ** 2;
const namePattern = /^([0-9a-f]{8})-([1-9][0-9]{0,9})-[0-9a-f]{16}\.part$/;

/**
 * Creates a folder for temporary files of requests. A file carries the name of its process, so that the files of ended
 * processes are recognized. Several processes may share the folder.
 */
export function createStaging(directory: string, options: StagingOptions = {}): Staging {
  const maxTotalBytes = options.maxTotalBytes ?? defaultMaxTotalBytes;
  const files = new Map<string, { readonly tenant: string | undefined; sizeBytes: number }>();
  const bytesOf = new Map<string, number>();
  let totalBytes = 0;
  let prepared: Promise<void> | undefined;

  function ready(): Promise<void> {
    prepared ??= mkdir(directory, { recursive: true, mode: 0o700 }).then(sweep);
    prepared.catch(() => {
      prepared = undefined;
    });
    return prepared;
  }

  function count(tenant: string | undefined, bytes: number): void {
    totalBytes += bytes;
    if (tenant === undefined) return;
    const sum = (bytesOf.get(tenant) ?? 0) + bytes;
    if (sum === 0) bytesOf.delete(tenant);
    else bytesOf.set(tenant, sum);
    if (bytes > 0 && sum > maxTotalBytes * tenantShare) throw noRoomForTenant();
  }

  function grow(path: string, tenant: string | undefined, bytes: number): void {
    const file = files.get(path) ?? { tenant, sizeBytes: 0 };
    file.sizeBytes += bytes;
    files.set(path, file);
    count(tenant, bytes);
    if (totalBytes > maxTotalBytes) throw noRoom();
  }

  async function removePath(path: string): Promise<void> {
    await unlink(path).catch((error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error;
    });
    const file = files.get(path);
    files.delete(path);
    if (file) count(file.tenant, -file.sizeBytes);
  }

  async function sweep(): Promise<void> {
    for (const name of await readdir(directory)) {
      const writer = writerOf(name);
      const path = join(directory, name);
      // The file may be gone, because another process sweeps at the same time.
      const found = writer && !files.has(path) ? await stat(path).catch(() => null) : null;
      if (writer && found && isAbandoned(writer, Date.now() - found.mtimeMs)) await removePath(path);
    }
  }

  return {
    async write(body, { maxBytes, tenant }) {
      await onDisk(ready);
      await onDisk(() => checkFreeSpace(directory));
      const path = join(directory, newName());
      const handle = await onDisk(() => open(path, 'wx', 0o600));
      try {
        return {
          path,
          ...(tenant === undefined ? {} : { tenant }),
          ...(await fill(handle, body, { maxBytes, grow: (bytes) => grow(path, tenant, bytes) })),
        };
      } catch (error) {
        await removePath(path).catch(() => undefined);
        throw error;
      } finally {
        await handle.close();
      }
    },
    remove: (file) => onDisk(() => removePath(file.path)),
    sweep: () => onDisk(async () => (prepared ? sweep() : ready())),
  };
}

/** Writes and hashes a stream. The caller's stream waits while the disk writes. */
async function fill(
  handle: FileHandle,
  body: AsyncIterable<Uint8Array>,
  { maxBytes, grow }: { maxBytes: number; grow: (bytes: number) => void },
): Promise<Omit<LocalFile, 'path' | 'tenant'>> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBytes) {
      throw new AppError('payload_too_large', { detail: `A file may have at most ${maxBytes} bytes.` });
    }
    grow(chunk.byteLength);
    hash.update(chunk);
    await onDisk(() => writeAll(handle, chunk));
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.byteLength; ) {
    const { bytesWritten } = await handle.write(chunk, written);
    written += bytesWritten;
  }
}

async function checkFreeSpace(directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize < reservedBytes) throw noRoom();
}

function noRoom(): AppError {
  return new AppError('storage_unavailable', {
    detail: 'This instance has no room for further files at the moment. Retry shortly.',
    retryAfterSeconds: 10,
  });
}

function noRoomForTenant(): AppError {
  return new AppError('too_many_requests', {
    detail: 'The files that this tenant sends at the moment take all its room. Wait until some have arrived.',
    retryAfterSeconds: 10,
  });
}

/** Runs one step on the disk. @throws AppError `storage_unavailable` if the disk fails. */
async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('storage_unavailable', {
      detail: `The folder for received files failed (${systemCode(error) ?? 'unknown'}). Retry shortly.`,
      retryAfterSeconds: 10,
      cause: error,
    });
  }
}

function newName(): string {
  const { machine, pid } = thisWriter();
  return `${machine}-${pid}-${randomBytes(8).toString('hex')}.part`;
}

function writerOf(name: string): FileWriter | null {
  const [, machine, pid] = namePattern.exec(name) ?? [];
  return machine && pid ? { machine, pid: Number(pid) } : null;
}
