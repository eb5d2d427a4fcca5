import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createS3Storage } from '../../src/outbound/storage/s3/s3-storage.ts';
import { bucketOf, storageIn } from '../support/bucket.ts';
import { leftHalfMask } from '../support/edit-inputs.ts';
import { readEvents } from '../support/event-stream.ts';
import { noiseImage } from '../support/images.ts';
import { queryRedis, startTestRedis, type TestRedis } from '../support/redis.ts';
import { respondWithError, startTestS3, type TestS3 } from '../support/s3-server.ts';
import { createEnvironment } from '../support/service-environment.ts';
import { startServiceProcess } from '../support/service-process.ts';
import { startEndpointServer } from '../support/webhook-endpoints.ts';

/** Searches every store for the texts and bytes of an erased edit. */

const withTime = { timeout: 30_000, interval: 200 };

let redis: TestRedis;
let redisFolder: string;
let s3: TestS3;
beforeAll(async () => {
  redis = await startTestRedis();
  s3 = await startTestS3();
  redisFolder = await queryRedis(redis.url, async (client) => {
    // Compressed strings could not be searched.
    await client.config('SET', 'rdbcompression', 'no');
    return ((await client.config('GET', 'dir')) as string[])[1] ?? '';
  });
});
afterAll(async () => {
  await redis.stop();
  await s3.stop();
});

/** Starts the service as a process, with an endpoint that refuses its events and a server for an input. */
async function deployment(storage: Record<string, string>) {
  const environment = await createEnvironment({
    ...storage,
    REDIS_URL: redis.url,
    WEBHOOK_ALLOW_PRIVATE: 'true',
    INPUT_ALLOW_PRIVATE: 'true',
  });
  const endpoint = await startEndpointServer((_request, response) => response.writeHead(500).end());
  const photo = await noiseImage(70, 50, 'webp');
  const photos = createServer((_request, response) => response.end(photo));
  await once(photos.listen(0, '127.0.0.1'), 'listening');
  const service = await startServiceProcess(environment.env);
  onTestFinished(async () => {
    await service.stop('SIGKILL');
    photos.close();
    await endpoint.close();
    await environment.remove();
  });
  return {
    service,
    dataDir: environment.dataDir,
    photo,
    photoUrl: `http://127.0.0.1:${(photos.address() as AddressInfo).port}`,
    endpointUrl: `http://127.0.0.1:${endpoint.port}`,
  };
}
type Deployment = Awaited<ReturnType<typeof deployment>>;

/** Texts and pieces of files to search for. */
type Markers = Record<string, Buffer>;

/** Returns a piece of a file that occurs in no other file. */
const pieceOf = (bytes: Buffer) => bytes.subarray(Math.floor(bytes.length / 2)).subarray(0, 32);

/** Submits an edit with markers in every field and file that a caller can send. Resolves when it has ended. */
async function editWithMarkers({ service, photo, photoUrl, endpointUrl }: Deployment, more = {}) {
  const word = `w${randomUUID().replaceAll('-', '')}`;
  const [first, second] = [await noiseImage(64, 48), await noiseImage(65, 49, 'jpeg')];
  const mask = await leftHalfMask(64, 48);
  const uploadId = (await service.acme.post('/uploads').attach('file', second, `${word}.jpg`)).body.id;
  const job = await service.acme.submit({
    prompt: `A sign that says "${word}" [studio:latency=300]`,
    images: [
      { data: first.toString('base64') },
      { upload_id: uploadId },
      { url: `${photoUrl}/${word}.webp` },
    ],
    mask: { data: mask.toString('base64') },
    model: 'gpt-image-2.6-flare',
    enhance: 'always',
    partial_images: 2,
    safety_identifier: word,
    metadata: { note: word },
    provider_options: { user: word },
    webhook: { url: `${endpointUrl}/${word}` },
    ...more,
  });
  const inputs = { first, second, photo, mask };
  const pieces = Object.entries(inputs).map(([name, bytes]) => [name, pieceOf(bytes)] as const);
  const markers: Markers = { word: Buffer.from(word), ...Object.fromEntries(pieces) };
  return { id: job.id, uploadId, markers };
}

/** Returns the markers that a folder contains, and the files. */
async function search(folder: string, markers: Markers): Promise<string[]> {
  const found: string[] = [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path).catch(() => Buffer.alloc(0));
    for (const [name, marker] of Object.entries(markers))
      if (bytes.includes(marker) || path.includes(marker.toString())) found.push(`${name} in ${path}`);
  }
  return found;
}

/** Writes a fresh dump and rewrites the append-only file. */
const rewriteRedis = () =>
  queryRedis(redis.url, async (client) => {
    await client.bgrewriteaof();
    await expect
      .poll(
        async () => /aof_rewrite_(?:in_progress|scheduled):1/.test(await client.info('persistence')),
        withTime,
      )
      .toBe(false);
    await client.save();
  });

/** Returns the markers in the files of Redis, in the folder of the service and in its log. */
async function searchEverywhere({ service, dataDir }: Deployment, markers: Markers) {
  await rewriteRedis();
  const lines = Object.entries(markers).filter(([, marker]) =>
    service.log.some((line) => line.includes(marker.toString())),
  );
  return [
    ...(await search(redisFolder, markers)),
    ...(await search(dataDir, markers)),
    ...lines.map(([name]) => `${name} in the log`),
  ];
}

describe('an erased edit', () => {
  it('leaves no text, input, preview or image in files, spool, log, a dump or the rewritten append-only file', async () => {
    const started = await deployment({});
    const { service, dataDir } = started;
    const { id, uploadId, markers } = await editWithMarkers(started);
    const job = await service.acme.ended(id);
    expect(job).toMatchObject({ status: 'succeeded', error: null });
    markers.image = pieceOf(await service.acme.image(id));
    const events = await readEvents(service.url, id);
    for (const { partial_image: preview } of events) {
      if (!preview) continue;
      const { body } = await service.acme.get(preview.content_url).expect(200);
      markers[`preview ${preview.partial_image_index}`] = pieceOf(body);
    }
    expect(Object.keys(markers)).toHaveLength(8);
    await rewriteRedis();
    const before = [
      ...(await search(redisFolder, markers)),
      ...(await search(join(dataDir, 'images'), markers)),
    ];
    expect(new Set(before.map((line) => line.split(' in ')[0]))).toEqual(new Set(Object.keys(markers)));

    await service.acme.delete(`/uploads/${uploadId}?erase_jobs=true`).expect(204);
    await service.acme.get(`/images/${id}`).expect(410);
    await expect.poll(() => searchEverywhere(started, markers), withTime).toEqual([]);
  });

  it('leaves no object in S3, and no paid response in the spool if the storage failed before', async () => {
    const started = await deployment(storageIn(s3));
    const { service, dataDir } = started;
    const written = new Set<string>();
    let failing = true;
    s3.intercept((request, response) => {
      if (request.method !== 'PUT') return false;
      const key = decodeURIComponent((request.url ?? '').split('?')[0]?.slice(`/${s3.bucket}/`.length) ?? '');
      const isInput = key.includes('/in-') || key.includes('/upl_');
      if (failing && !isInput && !key.endsWith('.preview')) {
        respondWithError(request, response, { status: 503, code: 'SlowDown' });
        return true;
      }
      written.add(key);
      return false;
    });
    onTestFinished(() => s3.intercept(null));
    const { id, uploadId, markers } = await editWithMarkers(started);
    const spooled = async () => (await readdir(join(dataDir, 'spool'))).filter((name) => name.includes(id));
    await expect.poll(spooled, withTime).toEqual([expect.stringMatching(/\.response$/)]);
    const inputs = [...written].filter((key) => key.includes(`${id}/in-`));
    expect(inputs).toHaveLength(4);

    await service.acme.delete(`/images/${id}`).expect(204);
    await service.acme.delete(`/uploads/${uploadId}`).expect(204);
    failing = false;
    await expect.poll(spooled, withTime).toEqual([]);
    await expect.poll(() => searchEverywhere(started, markers), withTime).toEqual([]);
    const bucket = createS3Storage(bucketOf(s3));
    const left = async () => {
      const keys = await Promise.all(
        [...written].map(async (key) => ((await bucket.read(key)) ? [key] : [])),
      );
      return keys.flat();
    };
    await expect.poll(left, withTime).toEqual([]);
    await bucket.close();
  });
});
