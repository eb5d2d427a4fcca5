import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createS3Storage } from '../../src/outbound/storage/s3/s3-storage.ts';
import { bytesOf, storageForEachTest } from '../support/s3-storage.ts';

const key = 'acme/img_1/0.png';
const image = Buffer.from('image');

describe('s3 storage on the wire', () => {
  const s3 = storageForEachTest();

  it('signs a known digest without computing it again from the bytes', async () => {
    const known = createHash('sha256').update('other bytes').digest('hex');
    const signedDigests: unknown[] = [];
    s3.server.intercept((request) => {
      signedDigests.push(request.headers['x-amz-content-sha256']);
      return false;
    });
    await s3.open().put(key, image, { contentType: 'image/png', sha256: known });
    await s3.open().put(key, image, { contentType: 'image/png' });
    expect(signedDigests).toEqual([known, createHash('sha256').update(image).digest('hex')]);
  });

  it('sends an image of several megabytes at once, with length, type, caching and digest', async () => {
    const seen: IncomingMessage[] = [];
    s3.server.intercept((request) => {
      seen.push(request);
      return false;
    });
    const bytes = randomBytes(3_000_000);
    await s3.open().put(key, bytes, { contentType: 'image/webp' });
    expect(seen).toHaveLength(1);
    expect(seen[0]?.headers).toMatchObject({
      'content-length': '3000000',
      'content-type': 'image/webp',
      'cache-control': 'private, max-age=31536000, immutable',
      'x-amz-content-sha256': createHash('sha256').update(bytes).digest('hex'),
    });
    const names = Object.keys(seen[0]?.headers ?? {});
    expect(names.filter((name) => /^expect$|chunked|transfer-encoding|checksum/.test(name))).toEqual([]);
  });

  it('sends the same bytes with SDK checksums if they are enabled', async () => {
    const names: string[] = [];
    s3.server.intercept((request) => {
      names.push(...Object.keys(request.headers));
      return false;
    });
    const storage = s3.open({ checksums: 'when_supported' });
    const bytes = randomBytes(100_000);
    await storage.put(key, bytes, { contentType: 'image/png' });
    expect(Buffer.compare(await bytesOf(await storage.read(key)), bytes)).toBe(0);
    expect(names).toContain('x-amz-checksum-crc32');
  });

  it('reads and stores images although sixty callers do not read theirs', async () => {
    const storage = s3.open({ timeoutMs: 20_000 });
    const bytes = randomBytes(100_000);
    await storage.put(key, bytes, { contentType: 'image/png' });
    const unread = await Promise.all(Array.from({ length: 60 }, () => storage.read(key)));
    await storage.put('acme/img_2/0.png', image, { contentType: 'image/png' });
    expect(Buffer.compare(await bytesOf(await storage.read(key)), bytes)).toBe(0);
    // Reading the rest frees the connections.
    for (const each of unread) expect(await bytesOf(each)).toHaveLength(bytes.length);
  });

  it('rejects an expired link', async () => {
    const storage = s3.open();
    await storage.put(key, image, { contentType: 'image/png' });
    const signedAtMs = Date.now() - 60_000;
    const options = { signedAtMs, contentType: 'image/png', fileName: '0.png' };
    const fresh = await storage.link(key, { ...options, expiresAtMs: Date.now() + 60_000 });
    const expired = await storage.link(key, { ...options, expiresAtMs: Date.now() - 2_000 });
    expect((await fetch(fresh)).status).toBe(200);
    expect((await fetch(expired)).status).toBe(403);
  });
});

describe('unused s3 storage', () => {
  it('loads the SDK only when it is needed', async () => {
    const module = fileURLToPath(new URL('../../src/outbound/storage/s3/s3-storage.ts', import.meta.url));
    const program = `
      import { createRequire } from 'node:module';
      const { createS3Storage } = await import(${JSON.stringify(module)});
      const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('client-s3'));
      const config = { bucket: 'b', region: 'us-east-1', accessKeyId: 'a', secretAccessKey: 'b' };
      const storage = createS3Storage(config);
      const before = loaded();
      await storage.link('acme/img_1/0.png', { signedAtMs: 0, expiresAtMs: 0, contentType: 'image/png', fileName: 'x.png' });
      await storage.close();
      console.log(JSON.stringify({ before, after: loaded() }));`;
    const options = ['--import', 'tsx', '--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, options);
    expect(JSON.parse(stdout)).toEqual({ before: false, after: true });
  });

  it('closes a storage that was never used', async () => {
    await createS3Storage({ bucket: 'b', region: 'us-east-1' }).close();
  });
});
