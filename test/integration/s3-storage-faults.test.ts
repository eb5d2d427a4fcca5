import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { respondWithError } from '../support/s3-server.ts';
import { bytesOf, storageForEachTest } from '../support/s3-storage.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const key = 'acme/img_1/0.png';
const image = Buffer.from('image');

async function fileOf(bytes: Buffer) {
  const path = join(await temporaryFolder(), 'file');
  await writeFile(path, bytes);
  return { path, sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** Returns the paths of the files that this process has open. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}

describe('s3 storage during failures of S3', () => {
  const s3 = storageForEachTest();

  /** Rejects the next requests with an error and accepts later ones. Returns the rejected requests. */
  function refuseNext(times: number, status: number, code: string): IncomingMessage[] {
    const refused: IncomingMessage[] = [];
    s3.server.intercept((request, response) => {
      if (refused.length === times) return false;
      refused.push(request);
      respondWithError(request, response, { status, code });
      return true;
    });
    return refused;
  }

  it('retries one 503 within the call', async () => {
    const refused = refuseNext(1, 503, 'SlowDown');
    const storage = s3.open();
    await storage.put(key, image, { contentType: 'image/png' });
    expect(refused).toHaveLength(1);
    expect((await storage.read(key))?.sizeBytes).toBe(image.length);
  });

  it('reports an outage after two 503 responses, and succeeds with the next call', async () => {
    const refused = refuseNext(2, 503, 'SlowDown');
    const storage = s3.open();
    await expect(storage.put(key, image, { contentType: 'image/png' })).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('SlowDown'),
    });
    expect(refused).toHaveLength(2);
    expect(await storage.read(key)).toBeNull();
    await storage.put(key, image, { contentType: 'image/png' });
    expect((await storage.read(key))?.sizeBytes).toBe(image.length);
  });

  it('does not retry a request that S3 rejected', async () => {
    const refused = refuseNext(5, 403, 'AccessDenied');
    await expect(s3.open().put(key, image, { contentType: 'image/png' })).rejects.toMatchObject({
      code: 'storage_failed',
      message: expect.stringContaining('AccessDenied'),
      cause: expect.objectContaining({ name: 'AccessDenied' }),
    });
    expect(refused).toHaveLength(1);
  });

  it('reports a missing bucket as a rejection, not as a missing image', async () => {
    const storage = s3.open({ bucket: 'not-there' });
    const refusal = { code: 'storage_failed', message: expect.stringContaining('NoSuchBucket') };
    await expect(storage.put(key, image, { contentType: 'image/png' })).rejects.toMatchObject(refusal);
    await expect(storage.read(key)).rejects.toMatchObject(refusal);
  });

  it('reads stored images through the same storage after an outage', async () => {
    const storage = s3.open({ timeoutMs: 5_000 });
    await storage.put(key, image, { contentType: 'image/png' });
    await s3.server.stop();
    const outage = { code: 'storage_unavailable' };
    await expect(storage.put(key, image, { contentType: 'image/png' })).rejects.toMatchObject(outage);
    await expect(storage.read(key)).rejects.toMatchObject(outage);
    await expect(storage.remove(key)).rejects.toMatchObject(outage);
    await expect(storage.check()).rejects.toMatchObject({
      ...outage,
      message: expect.stringContaining('Start the S3'),
    });
    await s3.server.start();
    await storage.check();
    expect(await bytesOf(await storage.read(key))).toEqual(image);
  });

  it('fails a call to a silent server at its timeout and closes the connections', async () => {
    const held = new Set<IncomingMessage>();
    let count = 0;
    s3.server.intercept((request, response) => {
      count++;
      held.add(request);
      response.once('close', () => held.delete(request));
      // An unread body would prevent the server from noticing the end of its connection.
      request.resume();
      return true;
    });
    const storage = s3.open({ timeoutMs: 400 });
    const outage = { code: 'storage_unavailable', message: expect.stringContaining('timeout') };
    await expect(
      storage.put(key, randomBytes(3_000_000), { contentType: 'image/png' }),
    ).rejects.toMatchObject(outage);
    await expect(storage.read(key)).rejects.toMatchObject(outage);
    await expect(storage.remove(key)).rejects.toMatchObject(outage);
    await expect(storage.check()).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('does not respond in time'),
    });
    expect(count).toBeGreaterThanOrEqual(4);
    await eventually(() => expect(held.size).toBe(0));
  });

  it('names a connection that the server resets as such, and not as a timeout', async () => {
    s3.server.intercept((request) => {
      request.socket.resetAndDestroy();
      return true;
    });
    await expect(s3.open().read(key)).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringMatching(/ECONNRESET|EPIPE/),
    });
  });

  it('times out a silent request early enough for a second one', async () => {
    let held = 0;
    s3.server.intercept((request) => {
      request.resume();
      return held++ === 0;
    });
    await s3.open({ timeoutMs: 4_000 }).put(key, image, { contentType: 'image/png' });
    expect(held).toBe(2);
  });

  it.runIf(process.platform === 'linux')(
    'closes a file that S3 does not take, whatever the reason',
    async () => {
      const storage = s3.open({ timeoutMs: 1_000 });
      const file = await fileOf(randomBytes(3_000_000));
      const putFile = () => storage.putFile(key, file, { contentType: 'image/png' });
      const isOpen = () => openFiles().includes(file.path);
      refuseNext(1, 503, 'SlowDown');
      await expect(putFile()).rejects.toMatchObject({ code: 'storage_unavailable' });
      await eventually(() => expect(isOpen()).toBe(false));
      s3.server.intercept((_request, response) => Boolean(response.writeHead(403).end()));
      await expect(putFile()).rejects.toMatchObject({ code: 'storage_failed' });
      await eventually(() => expect(isOpen()).toBe(false));
      await s3.server.stop();
      await expect(putFile()).rejects.toMatchObject({ code: 'storage_unavailable' });
      await eventually(() => expect(isOpen()).toBe(false));
    },
  );

  it('reports a file that cannot be read', async () => {
    const file = await fileOf(image);
    await rm(file.path);
    await expect(s3.open().putFile(key, file, { contentType: 'image/png' })).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('ENOENT'),
    });
  });

  it.each([
    ['falls silent', false, 'timeout'],
    ['is cut', true, 'ECONNRESET'],
  ])('rejects with storage_unavailable if a body %s in the middle', async (_how, cut, reason) => {
    s3.server.intercept((_request, response) => {
      response.writeHead(200, { 'content-type': 'image/png', 'content-length': '100', etag: '"1"' });
      response.write('half', () => cut && response.destroy());
      return true;
    });
    const found = await s3.open({ timeoutMs: 500 }).read(key);
    expect(found?.sizeBytes).toBe(100);
    await expect(bytesOf(found)).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining(reason),
    });
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
    ['overload', 503, 'SlowDown', {}, 'fails (http_503)'],
  ])('reports %s in the storage check', async (_what, status, code, headers, words) => {
    s3.server.intercept((request, response) => {
      respondWithError(request, response, { status, code, headers });
      return true;
    });
    await expect(s3.open().check()).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining(words),
    });
  });
});
