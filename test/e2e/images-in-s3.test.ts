import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createS3Storage } from '../../src/outbound/storage/s3/s3-storage.ts';
import { bucketOf, holdFirstUpload, storageIn } from '../support/bucket.ts';
import { noiseImage } from '../support/images.ts';
import { respondWithError, startTestS3, type TestS3 } from '../support/s3-server.ts';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls } from '../support/service-environment.ts';

let s3: TestS3;
let service: TestService;
beforeAll(async () => {
  s3 = await startTestS3();
  service = await startService({ ...storageIn(s3), INPUT_ALLOW_PRIVATE: 'true' });
});
afterAll(async () => {
  await service.close();
  await s3.stop();
});

/** Erases a job while its upload is held, and expects that the upload leaves no object. */
async function expectErased(id: string, held: ReturnType<typeof holdFirstUpload>): Promise<void> {
  const key = await held.key;
  await service.acme.delete(`/images/${id}`).expect(204);
  expect(await held.release()).toBe(200);

  const bucket = createS3Storage(bucketOf(s3));
  await vi.waitFor(async () => expect(await bucket.read(key)).toBeNull(), { timeout: 10_000 });
  await bucket.close();
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('an image in S3', () => {
  it.each(['png', 'jpeg', 'webp'])(
    'an image in S3 as %s has the bytes that the provider sent',
    async (format) => {
      const job = await service.acme.generate({ prompt: `In a bucket as ${format}`, output_format: format });
      const sent = imageCalls(service.studio, `In a bucket as ${format}`)[0]?.images[0];
      const url = job.images[0]?.url ?? '';

      expect(url.startsWith(s3.endpoint)).toBe(true);
      const { body } = await supertest(url).get('').expect(200).expect('content-type', `image/${format}`);
      expect(sha256(body)).toBe(sent?.sha256);
      expect(job.images[0]).toMatchObject({ sha256: sent?.sha256, content_type: `image/${format}` });
    },
  );

  it('a link stays the same between two reads, so that a browser keeps the image', async () => {
    const { id } = await service.acme.generate({ prompt: 'Shown in a list that is read again' });
    const start = Math.ceil(Date.now() / 900_000) * 900_000;
    vi.useFakeTimers({ toFake: ['Date'], now: start });
    onTestFinished(() => void vi.useRealTimers());
    const first = await service.acme.job(id);
    vi.setSystemTime(start + 899_999);
    const { images } = await service.acme.job(id);
    expect(images).toEqual(first.images);
    expect(images[0]?.url).toContain('X-Amz-Expires=3600');
  });

  it('the content route redirects to a fresh S3 link that needs no key and is not cached', async () => {
    const job = await service.acme.generate({ prompt: 'Behind a redirect' });
    const { headers } = await service.acme
      .get(`/images/${job.id}/content/0`)
      .expect(302)
      .expect('cache-control', /no-store/);

    const { body } = await supertest(headers.location ?? '')
      .get('')
      .expect(200)
      .expect('content-disposition', `inline; filename="${job.id}-0.png"`);
    expect(sha256(body)).toBe(job.images[0]?.sha256);
  });

  it('an image reaches a waiting caller of /v1 beside its worker without a read from S3', async () => {
    let reads = 0;
    s3.intercept(({ method }) => {
      if (method === 'GET') reads += 1;
      return false;
    });
    const request = { model: 'gpt-image-2', prompt: 'From the memory of the worker' };
    const { body } = await service.acme.post('/v1/images/generations').send(request).expect(200);
    s3.intercept(null);

    const sent = imageCalls(service.studio, request.prompt)[0]?.images[0];
    expect(sha256(Buffer.from(body.data[0].b64_json, 'base64'))).toBe(sent?.sha256);
    expect(reads).toBe(0);
  });

  it('a temporary S3 failure delays an image without a second payment', async () => {
    let refused = 0;
    s3.intercept((request, response) => {
      if (request.method !== 'PUT' || refused >= 4) return false;
      refused += 1;
      respondWithError(request, response, { status: 503, code: 'SlowDown' });
      return true;
    });
    const job = await service.acme.generate({ prompt: 'Through a storm' });
    s3.intercept(null);

    expect(refused).toBe(4);
    expect(job.status).toBe('succeeded');
    expect(imageCalls(service.studio, 'Through a storm')).toHaveLength(1);
  });

  it('erasing a job deletes its object in S3', async () => {
    const job = await service.acme.generate({ prompt: 'To be erased' });
    const url = job.images[0]?.url ?? '';
    await supertest(url).get('').expect(200);

    await service.acme.delete(`/images/${job.id}`).expect(204);
    await supertest(url).get('').expect(404);
    await service.acme.get(`/images/${job.id}/content/0`).expect(410);
  });

  it('erasing a job during its upload leaves no object in S3', async () => {
    const held = holdFirstUpload(s3);
    const { id } = await service.acme.submit({ prompt: 'Erased in the middle' });
    await expectErased(id, held);
  });

  it('erasing a job during the upload of one fetched input leaves no object, although another fetch is cut off', async () => {
    const photo = await noiseImage(64, 48);
    const photos = createServer((request, response) => {
      if (request.url === '/photo.png') response.end(photo);
      else response.writeHead(200).flushHeaders();
    });
    await once(photos.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => {
      photos.closeAllConnections();
      photos.close();
    });
    const origin = `http://127.0.0.1:${(photos.address() as AddressInfo).port}`;
    const held = holdFirstUpload(s3, (key) => key.endsWith('/in-image-0.bin'));
    const { id } = await service.acme.submit({
      prompt: 'Erased while its inputs arrive',
      model: 'gpt-image-2.6-flare',
      images: [{ url: `${origin}/photo.png` }, { url: `${origin}/never.png` }],
    });
    await expectErased(id, held);
  });
});
