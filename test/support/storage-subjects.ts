import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageStorage } from '../../src/domain/ports.ts';
import { createFileLinks } from '../../src/lib/crypto/file-link.ts';
import { createFilesystemStorage } from '../../src/outbound/storage/filesystem/filesystem-storage.ts';
import { createS3Storage } from '../../src/outbound/storage/s3/s3-storage.ts';
import { startTestS3 } from './s3-server.ts';

export type Storage = ImageStorage & { close(): Promise<void> };

interface Fetched {
  readonly bytes: Buffer;
  readonly contentType: string | null;
  readonly fileName: string | null;
}

/** A storage adapter with the helpers that the contract suite needs. */
export interface StorageSubject {
  readonly storage: Storage;
  /** Downloads through a link without credentials. Resolves with `null` if the link is refused. */
  fetchLink(link: string): Promise<Fetched | null>;
  /** Misconfigured adapters with the messages that their checks must report. */
  readonly broken: readonly { readonly storage: Storage; readonly says: RegExp }[];
  stop(): Promise<void>;
}

/** Opens the filesystem adapter in a new folder. */
export async function openFilesystem(): Promise<StorageSubject> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-storage-'));
  await writeFile(join(folder, 'a-file'), '');
  const signingKey = randomBytes(32);
  const storage = createFilesystemStorage({ directory: join(folder, 'deep', 'images'), signingKey });
  const at = (...path: string[]) => createFilesystemStorage({ directory: join(folder, ...path), signingKey });
  return {
    storage,
    async fetchLink(link) {
      const url = new URL(link, 'http://darkroom.test');
      const key = url.pathname.replace(/^\/files\//, '');
      const query = Object.fromEntries(url.searchParams);
      const good = createFileLinks(signingKey).verify({ key, query }, Date.now());
      return good && { bytes: await bytesAt(storage, key), ...good };
    },
    broken: [
      { storage: at('a-file', 'below'), says: /a-file.*a part of the path is a file\. Remove that file/ },
      { storage: at('a-file'), says: /a-file.*a file has that name\. Remove that file/ },
    ],
    stop: () => rm(folder, { recursive: true }),
  };
}

/** Opens the S3 adapter with a new server. */
export async function openS3(): Promise<StorageSubject> {
  const server = await startTestS3();
  const config = {
    ...server.credentials,
    bucket: server.bucket,
    region: server.region,
    endpoint: server.endpoint,
  };
  const open = (change: Partial<typeof config> = {}) => createS3Storage({ ...config, ...change });
  return {
    storage: open(),
    async fetchLink(link) {
      const response = await fetch(link);
      const bytes = Buffer.from(await response.arrayBuffer());
      if (!response.ok) return null;
      const disposition = response.headers.get('content-disposition') ?? '';
      const fileName = /^inline; filename="(.*)"$/.exec(disposition)?.[1] ?? null;
      return { bytes, contentType: response.headers.get('content-type'), fileName };
    },
    broken: [
      { storage: open({ bucket: 'not-there' }), says: /There is no bucket "not-there".*Create it/ },
      { storage: open({ accessKeyId: 'OTHER' }), says: /InvalidAccessKeyId.*correct S3_ACCESS_KEY_ID/ },
      { storage: open({ secretAccessKey: 'wrong' }), says: /SignatureDoesNotMatch.*S3_SECRET_ACCESS_KEY/ },
      {
        storage: open({ endpoint: 'http://127.0.0.1:1' }),
        says: /Nothing listens at http:\/\/127\.0\.0\.1:1/,
      },
    ],
    stop: () => server.stop(),
  };
}

/** Reads the stored bytes. Throws if their number differs from the announced size. */
export async function bytesAt(storage: ImageStorage, key: string): Promise<Buffer> {
  const found = await storage.read(key);
  if (found === null) throw new Error(`nothing under ${key}`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of found.body) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (bytes.length !== found.sizeBytes) throw new Error(`${bytes.length} bytes, not ${found.sizeBytes}`);
  return bytes;
}
