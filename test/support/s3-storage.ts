import { afterEach, beforeEach } from 'vitest';
import type { S3StorageConfig } from '../../src/outbound/storage/s3/s3-client.ts';
import { createS3Storage } from '../../src/outbound/storage/s3/s3-storage.ts';
import { startTestS3, type TestS3 } from './s3-server.ts';

/** Starts an S3 server for every test of the file. Closes the storages that the test opened. */
export function storageForEachTest() {
  let server: TestS3;
  const opened: { close(): Promise<void> }[] = [];

  beforeEach(async () => {
    server = await startTestS3();
  });
  afterEach(async () => {
    for (const storage of opened.splice(0)) await storage.close();
    await server.stop();
  });

  return {
    get server() {
      return server;
    },
    open(change: Partial<S3StorageConfig> = {}) {
      const { bucket, region, endpoint, credentials } = server;
      const storage = createS3Storage({ bucket, region, endpoint, ...credentials, ...change });
      opened.push(storage);
      return storage;
    },
  };
}

/** Reads the bytes of a stored object. Empty if there is none. */
export async function bytesOf(found: { body: AsyncIterable<Uint8Array> } | null): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of found?.body ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}
