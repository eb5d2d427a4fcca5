import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createS3Storage } from '../../src/outbound/storage/s3.ts';
import type { S3StorageConfig } from '../../src/outbound/storage/s3-client.ts';
import { answerWithError, startTestS3, type TestS3 } from '../support/s3-server.ts';

const key = 'acme/img_1/0.png';
const picture = Buffer.from('picture');

async function bytesOf(found: { body: AsyncIterable<Uint8Array> } | null): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of found?.body ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('s3 storage when S3 has trouble', () => {
  let server: TestS3;
  const opened: { close(): Promise<void> }[] = [];

  beforeEach(async () => {
    server = await startTestS3();
  });
  afterEach(async () => {
    for (const storage of opened.splice(0)) await storage.close();
    await server.stop();
  });

  function open(change: Partial<S3StorageConfig> = {}) {
    const { bucket, region, endpoint, credentials } = server;
    const config = { bucket, region, endpoint, ...credentials, ...change };
    const storage = createS3Storage(config, { clock: Date.now });
    opened.push(storage);
    return storage;
  }

  /** Answers the next requests with an error, then lets them through; returns what was refused. */
  function refuseNext(times: number, status: number, code: string): IncomingMessage[] {
    const refused: IncomingMessage[] = [];
    server.intercept((request, response) => {
      if (refused.length === times) return false;
      refused.push(request);
      answerWithError(request, response, status, code);
      return true;
    });
    return refused;
  }

  it('one 503 is healed inside the call', async () => {
    const refused = refuseNext(1, 503, 'SlowDown');
    const storage = open();
    await storage.put(key, picture, 'image/png');
    expect(refused).toHaveLength(1);
    expect((await storage.read(key))?.sizeBytes).toBe(picture.length);
  });

  it('a digest that is known is signed as it is, and not taken again from the bytes', async () => {
    const known = createHash('sha256').update('other bytes').digest('hex');
    const signedDigests: unknown[] = [];
    server.intercept((request) => {
      signedDigests.push(request.headers['x-amz-content-sha256']);
      return false;
    });
    await open().put(key, picture, 'image/png', known);
    await open().put(key, picture, 'image/png');
    expect(signedDigests).toEqual([known, createHash('sha256').update(picture).digest('hex')]);
  });

  it('two 503 are an outage, and the call after them works', async () => {
    const refused = refuseNext(2, 503, 'SlowDown');
    const storage = open();
    await expect(storage.put(key, picture, 'image/png')).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('SlowDown'),
    });
    expect(refused).toHaveLength(2);
    expect(await storage.read(key)).toBeNull();
    await storage.put(key, picture, 'image/png');
    expect((await storage.read(key))?.sizeBytes).toBe(picture.length);
  });

  it('a refusal is not asked for again', async () => {
    const refused = refuseNext(5, 403, 'AccessDenied');
    await expect(open().put(key, picture, 'image/png')).rejects.toMatchObject({
      code: 'storage_failed',
      message: expect.stringContaining('AccessDenied'),
      cause: expect.objectContaining({ name: 'AccessDenied' }),
    });
    expect(refused).toHaveLength(1);
  });

  it('a missing bucket is a refusal, not a missing picture', async () => {
    const storage = open({ bucket: 'not-there' });
    const refusal = { code: 'storage_failed', message: expect.stringContaining('NoSuchBucket') };
    await expect(storage.put(key, picture, 'image/png')).rejects.toMatchObject(refusal);
    await expect(storage.read(key)).rejects.toMatchObject(refusal);
  });

  it('what was stored is there again after an outage, through the same storage', async () => {
    const storage = open({ timeoutMs: 5_000 });
    await storage.put(key, picture, 'image/png');
    await server.stop();
    const outage = { code: 'storage_unavailable' };
    await expect(storage.put(key, picture, 'image/png')).rejects.toMatchObject(outage);
    await expect(storage.read(key)).rejects.toMatchObject(outage);
    await expect(storage.remove(key)).rejects.toMatchObject(outage);
    await expect(storage.check()).rejects.toMatchObject({
      ...outage,
      message: expect.stringContaining('Start the S3'),
    });
    await server.start();
    await storage.check();
    expect(await bytesOf(await storage.read(key))).toEqual(picture);
  });

  it('a server that never answers holds no call, and its connections are given up', async () => {
    const held = new Set<IncomingMessage>();
    let count = 0;
    server.intercept((request, response) => {
      count++;
      held.add(request);
      response.once('close', () => held.delete(request));
      // A body nobody reads would keep the server from seeing the end of its connection.
      request.resume();
      return true;
    });
    const storage = open({ timeoutMs: 400 });
    const outage = { code: 'storage_unavailable', message: expect.stringContaining('timeout') };
    await expect(storage.put(key, randomBytes(3_000_000), 'image/png')).rejects.toMatchObject(outage);
    await expect(storage.read(key)).rejects.toMatchObject(outage);
    await expect(storage.remove(key)).rejects.toMatchObject(outage);
    await expect(storage.check()).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('does not answer in time'),
    });
    expect(count).toBeGreaterThanOrEqual(4);
    await vi.waitFor(() => expect(held.size).toBe(0));
  });

  it('a try that gets no answer is given up in time for a second one', async () => {
    let held = 0;
    server.intercept((request) => {
      request.resume();
      return held++ === 0;
    });
    await open({ timeoutMs: 4_000 }).put(key, picture, 'image/png');
    expect(held).toBe(2);
  });

  it.each([
    ['falls silent', false, 'timeout'],
    ['is cut', true, 'ECONNRESET'],
  ])('a body that %s in the middle ends in storage_unavailable', async (_how, cut, reason) => {
    server.intercept((_request, response) => {
      response.writeHead(200, { 'content-type': 'image/png', 'content-length': '100' });
      response.write('half', () => cut && response.destroy());
      return true;
    });
    const found = await open({ timeoutMs: 500 }).read(key);
    expect(found?.sizeBytes).toBe(100);
    await expect(bytesOf(found)).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining(reason),
    });
  });

  it('a picture of several megabytes goes out at once, with length, type, caching and digest', async () => {
    const seen: IncomingMessage[] = [];
    server.intercept((request) => {
      seen.push(request);
      return false;
    });
    const bytes = randomBytes(3_000_000);
    await open().put(key, bytes, 'image/webp');
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

  it('checksums of the SDK can be switched on and arrive with the same bytes', async () => {
    const names: string[] = [];
    server.intercept((request) => {
      names.push(...Object.keys(request.headers));
      return false;
    });
    const storage = open({ checksums: 'when_supported' });
    const bytes = randomBytes(100_000);
    await storage.put(key, bytes, 'image/png');
    expect(Buffer.compare(await bytesOf(await storage.read(key)), bytes)).toBe(0);
    expect(names).toContain('x-amz-checksum-crc32');
  });

  it.each([
    [
      'another region',
      301,
      'PermanentRedirect',
      { 'x-amz-bucket-region': 'eu-west-1' },
      'Set S3_REGION=eu-west-1',
    ],
    ['no permission', 403, 'AccessDenied', {}, 'grant s3:ListBucket'],
    ['a wrong clock', 403, 'RequestTimeTooSkewed', {}, 'The clock of this machine is wrong'],
    ['overload', 503, 'SlowDown', {}, 'has trouble (http_503)'],
  ])('check tells of %s', async (_what, status, code, headers, words) => {
    server.intercept((request, response) => {
      answerWithError(request, response, status, code, headers);
      return true;
    });
    await expect(open().check()).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining(words),
    });
  });

  it('an expired link is refused', async () => {
    const storage = createS3Storage(
      { ...server.credentials, bucket: server.bucket, region: server.region, endpoint: server.endpoint },
      { clock: () => Date.now() - 60_000 },
    );
    opened.push(storage);
    await storage.put(key, picture, 'image/png');
    const options = { contentType: 'image/png', fileName: '0.png' };
    const fresh = await storage.link(key, { ...options, expiresAtMs: Date.now() + 60_000 });
    const expired = await storage.link(key, { ...options, expiresAtMs: Date.now() - 2_000 });
    expect((await fetch(fresh)).status).toBe(200);
    expect((await fetch(expired)).status).toBe(403);
  });
});

describe('s3 storage at rest', () => {
  it('the SDK is not loaded before it is needed', async () => {
    const module = fileURLToPath(new URL('../../src/outbound/storage/s3.ts', import.meta.url));
    const program = `
      import { createRequire } from 'node:module';
      const { createS3Storage } = await import(${JSON.stringify(module)});
      const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('client-s3'));
      const config = { bucket: 'b', region: 'us-east-1', accessKeyId: 'a', secretAccessKey: 'b' };
      const storage = createS3Storage(config, { clock: Date.now });
      const before = loaded();
      await storage.link('acme/img_1/0.png', { expiresAtMs: 0, contentType: 'image/png', fileName: 'x.png' });
      await storage.close();
      console.log(JSON.stringify({ before, after: loaded() }));`;
    const options = ['--import', 'tsx', '--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, options);
    expect(JSON.parse(stdout)).toEqual({ before: false, after: true });
  });

  it('closing one that was never used is fine', async () => {
    await createS3Storage({ bucket: 'b', region: 'us-east-1' }, { clock: Date.now }).close();
  });
});
