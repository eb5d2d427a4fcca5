import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { JobInput } from '../../src/domain/input-image.ts';
import { sleep } from '../../src/lib/sleep.ts';
import { createImageInspector } from '../../src/outbound/media/image-inspector.ts';
import { createInputFetcher } from '../../src/outbound/media/input-fetcher.ts';
import { createStaging } from '../../src/outbound/media/staging.ts';
import { createFilesystemStorage } from '../../src/outbound/storage/filesystem/filesystem-storage.ts';
import { createDestinationGuard } from '../../src/outbound/webhooks/destination-guard.ts';
import { createGuardedAgent } from '../../src/outbound/webhooks/guarded-agent.ts';
import { createFetchInputs } from '../../src/usecases/inputs/fetch-inputs.ts';
import { noiseImage } from '../support/images.ts';
import { queuedJob } from '../support/jobs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const never = new AbortController().signal;
type Storage = Parameters<typeof createFetchInputs>[0]['storage'];

/** Serves a port, and counts the requests and the most that were open at the same time. */
async function serve(respond: RequestListener) {
  let [requests, open, maxOpen] = [0, 0, 0];
  const server = createServer((request, response) => {
    requests += 1;
    open += 1;
    maxOpen = Math.max(maxOpen, open);
    response.on('close', () => {
      open -= 1;
    });
    respond(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, counts: () => ({ requests, maxOpen }) };
}

/** Creates the parts of a worker that fetch, with a storage in a folder or another one. */
async function openWorker({ storage, timeoutMs }: { storage?: Storage; timeoutMs?: number } = {}) {
  const folder = await temporaryFolder();
  const guard = createDestinationGuard({ allowPrivate: true, requireHttps: false });
  const dispatcher = createGuardedAgent({ guard });
  const staging = createStaging(join(folder, 'incoming'));
  const fetchInputs = createFetchInputs({
    fetcher: createInputFetcher({ staging, guard, dispatcher, userAgent: 'Darkroom/test', sleep }),
    inspector: createImageInspector(staging, { maxConcurrent: 1 }),
    storage:
      storage ??
      createFilesystemStorage({ directory: join(folder, 'images'), signingKey: Buffer.alloc(32, 1) }),
    staging,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  return { fetchInputs, temporaryFiles: () => readdir(join(folder, 'incoming')).catch(() => []) };
}

/** Fetches the inputs of a job from a server with the parts of a worker. */
async function fetchFrom(paths: readonly string[], respond: RequestListener, timeoutMs = 60_000) {
  const { port, counts } = await serve(respond);
  const { fetchInputs, temporaryFiles } = await openWorker({ timeoutMs });
  const inputs = paths.map(
    (path, index): JobInput => ({
      role: path === '/mask' ? 'mask' : 'image',
      index: path === '/mask' ? 0 : index,
      source: { type: 'url', url: `http://127.0.0.1:${port}${path}` },
    }),
  );
  const startedAt = performance.now();
  const result = await fetchInputs({ ...queuedJob(), inputs }, never).catch((error) => error);
  const tookMs = performance.now() - startedAt;
  expect(await temporaryFiles()).toEqual([]);
  return { result, tookMs, counts: counts() };
}

/** Creates an image of few bytes whose check takes long, because its pixels are turned. */
const turnedImage = () =>
  sharp({ create: { width: 4_000, height: 2_500, channels: 3, background: 'teal' } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();

const hangs: RequestListener = (_request, response) => response.writeHead(200).flushHeaders();

describe('the addresses of a job', () => {
  it('are fetched four at a time and returned in their sequence', async () => {
    const image = await noiseImage(64, 48);
    const pending: (() => void)[] = [];
    const paths = Array.from({ length: 8 }, (_, index) => `/${index}`);
    const { result, counts } = await fetchFrom(paths, (_request, response) => {
      pending.push(() => response.end(image));
      // Each group of four waits for its last request, so a slower sequence would not end.
      if (pending.length === 4) for (const send of pending.splice(0)) send();
    });
    expect(result.map(({ index, width }: JobInput) => [index, width])).toEqual(
      paths.map((_, index) => [index, 64]),
    );
    expect(counts.maxOpen).toBe(4);
  });

  it('have one deadline together, with all tries and those that had to wait', async () => {
    const paths = Array.from({ length: 16 }, (_, index) => `/${index}`);
    const { result, tookMs, counts } = await fetchFrom(paths, hangs, 300);
    expect(result).toMatchObject({
      code: 'input_unavailable',
      message: expect.stringMatching(/^\/images\/[0-3]: The address did not arrive in time\.$/),
    });
    expect(counts.requests).toBe(4);
    expect(tookMs).toBeLessThan(10_000);
  });

  it('do not count as late while their images are checked, however long that takes', async () => {
    const image = await turnedImage();
    const paths = Array.from({ length: 12 }, (_, index) => `/${index}`);
    const { result, tookMs } = await fetchFrom(paths, (_request, response) => response.end(image), 800);
    expect(result).toHaveLength(12);
    expect(tookMs).toBeGreaterThan(800);
  });

  it('end together at the first failure, which names its input', async () => {
    const { result, counts } = await fetchFrom(['/a', '/b', '/mask'], (request, response) => {
      if (request.url === '/mask') response.writeHead(404).end();
      else hangs(request, response);
    });
    expect(result).toMatchObject({
      code: 'input_unavailable',
      members: { retryable: false },
      message: '/mask: The address responded with 404.',
    });
    expect(counts.requests).toBe(3);
  });

  it('name the input whose file cannot be used', async () => {
    const image = await noiseImage(64, 48);
    const { result } = await fetchFrom(['/a', '/mask'], (_request, response) => response.end(image));
    expect(result).toMatchObject({
      code: 'input_invalid',
      message: expect.stringMatching(/^\/mask: It has no alpha channel/),
    });
  });
});

describe('the addresses of several tenants', () => {
  it('are checked in turns, so that many images of one tenant do not delay an image of another', async () => {
    const image = await turnedImage();
    const { port, counts } = await serve((_request, response) => response.end(image));
    const stored: string[] = [];
    const storage: Storage = { putFile: async (key) => void stored.push(key.split('/')[0] ?? '') };
    const { fetchInputs } = await openWorker({ storage });
    const run = (tenant: string, count: number) => {
      const url = `http://127.0.0.1:${port}/${tenant}`;
      const inputs = Array.from(
        { length: count },
        (_, index): JobInput => ({ role: 'image', index, source: { type: 'url', url } }),
      );
      return fetchInputs({ ...queuedJob({ tenant }), inputs }, never);
    };
    const many = Array.from({ length: 5 }, () => run('acme', 4));
    await vi.waitFor(() => expect(counts().requests).toBe(20));
    const before = stored.length;
    await Promise.all([...many, run('other', 1)]);
    expect(stored).toHaveLength(21);
    expect(stored.indexOf('other')).toBeLessThan((before + 21) / 2);
  });
});
