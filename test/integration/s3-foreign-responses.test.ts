import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesOf, storageForEachTest } from '../support/s3-storage.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const key = 'acme/img_1/0.png';
const image = Buffer.from('image');

async function fileOf(bytes: Buffer) {
  const path = join(await temporaryFolder(), 'file');
  await writeFile(path, bytes);
  return { path, sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

describe('s3 storage whose address another server responds at', () => {
  const s3 = storageForEachTest();

  it.each([
    ['a page of HTML', 200, 'text/html; charset=utf-8', '<html>portal</html>'],
    ['a page of HTML that says 404', 404, 'text/html', '<html>not found</html>'],
    ['a plain text', 200, 'text/plain', 'ok'],
    ['an empty body', 200, 'application/xml', ''],
  ])(
    'neither stores, reads nor finds a bucket at a server that sends %s',
    async (_what, status, type, text) => {
      s3.server.intercept((request, response) => {
        request.resume();
        response.writeHead(status, { 'content-type': type, 'content-length': `${text.length}` });
        response.end(request.method === 'HEAD' ? undefined : text);
        return true;
      });
      const storage = s3.open();
      const contentType = 'image/png';
      const outage = { code: 'storage_unavailable' };
      await expect(storage.put(key, image, { contentType })).rejects.toMatchObject(outage);
      await expect(storage.putFile(key, await fileOf(image), { contentType })).rejects.toMatchObject(outage);
      await expect(storage.copy(key, 'acme/img_2/0.png', { contentType })).rejects.toMatchObject(outage);
      await expect(storage.read(key)).rejects.toMatchObject(outage);
      await expect(storage.list('acme/img_1')).rejects.toMatchObject(outage);
      await expect(storage.check()).rejects.toMatchObject({
        code: 'storage_unavailable',
        message: expect.stringContaining('is no S3 server'),
      });
    },
  );

  it('stores and reads an object whose ETag is not the MD5 of its bytes', async () => {
    const stored = new Map<string, Buffer>();
    s3.server.intercept((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        if (request.method === 'PUT') stored.set(request.url ?? '', Buffer.concat(chunks));
        const length = request.method === 'PUT' ? 0 : image.length;
        response.writeHead(200, { etag: '"opaque-1"', 'content-length': `${length}` });
        response.end(request.method === 'PUT' ? undefined : image);
      });
      return true;
    });
    const storage = s3.open();
    await storage.put(key, image, { contentType: 'image/png' });
    expect(await bytesOf(await storage.read(key))).toEqual(image);
  });
});
