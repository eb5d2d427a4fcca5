import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { listPresets } from '../../../clients/typescript/src/generated/index.ts';
import {
  Darkroom,
  type ImageEvent,
  JobEndedError,
  verifyWebhook,
} from '../../../clients/typescript/src/index.ts';
import { webhookSecretOf } from '../../../src/lib/crypto/webhook-secret.ts';
import { clearMask, noiseImage, sha256 } from '../../support/images.ts';
import { startService, type TestService } from '../../support/service.ts';
import { imageCalls, testKeys } from '../../support/service-environment.ts';
import { arrived } from '../../support/webhook-callers.ts';
import { startEndpointServer } from '../../support/webhook-endpoints.ts';

let service: TestService;
let darkroom: Darkroom;
let photo: Blob;
beforeAll(async () => {
  service = await startService({ WEBHOOK_ALLOW_PRIVATE: 'true' });
  darkroom = new Darkroom({ apiKey: testKeys.acme, baseUrl: `${service.url}/` });
  photo = new Blob([new Uint8Array(await noiseImage(64, 48))], { type: 'image/png' });
  return service.close;
});

const pngOf = async (bytes: Promise<Buffer>) =>
  new Blob([new Uint8Array(await bytes)], { type: 'image/png' });

describe('the TypeScript client', () => {
  it('generate returns the images of a job and reports its events on the way', async () => {
    const events: ImageEvent[] = [];
    const job = await darkroom.generate(
      { prompt: 'A fox by the client', n: 2, metadata: { order: '7' } },
      { onEvent: (event) => events.push(event) },
    );
    expect(job).toMatchObject({ status: 'succeeded', metadata: { order: '7' } });
    for (const image of job.images) {
      expect(sha256(await image.bytes())).toBe(image.sha256);
      expect((await image.blob()).type).toBe('image/png');
    }
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['image.started', 'image.succeeded']),
    );
    // Downloads are no fields, so that the job can be stored as the service sent it.
    expect(Object.keys(JSON.parse(JSON.stringify(job)).images[0])).not.toContain('jobId');
  });

  it('requests have no option `client`, which means something else in Deno', async () => {
    const optionsOf = vi.fn();
    class WatchedRequest extends Request {
      constructor(input: string | URL | Request, init?: RequestInit) {
        super(input, init);
        optionsOf(Object.keys(init ?? {}));
      }
    }
    vi.stubGlobal('Request', WatchedRequest);
    onTestFinished(() => void vi.unstubAllGlobals());
    const job = await darkroom.generate({ prompt: 'A fox in another runtime' });
    await listPresets({ client: darkroom.client, throwOnError: true });
    await darkroom.erase(job.id);
    const seen = optionsOf.mock.calls.flat(2);
    expect(seen).toContain('method');
    expect(seen).not.toContain('client');
  });

  it('edit sends files, uploads, links to earlier images and a mask as the inputs of one job', async () => {
    const upload = await darkroom.upload(photo.stream() as ReadableStream<Uint8Array<ArrayBuffer>>);
    const source = await darkroom.generate({ prompt: 'A source for the client' });
    const mask = await pngOf(clearMask(64, 48));
    const edited = await darkroom.edit({
      prompt: 'A scarf by the client',
      images: [upload, upload.id, source.images[0], photo],
      mask,
      metadata: { sent: 'as a form' },
    });
    expect(edited.metadata).toEqual({ sent: 'as a form' });
    expect(edited.inputs.map(({ role, source: { type } }) => [role, type])).toEqual([
      ['image', 'upload'],
      ['image', 'upload'],
      ['image', 'image'],
      ['image', 'multipart'],
      ['mask', 'multipart'],
    ]);
    const mixed = await darkroom.edit({ prompt: 'A file first', images: [photo, source.images[0]] });
    expect(mixed.inputs.map((input) => input.source.type)).toEqual(['upload', 'image']);
    expect(mixed.inputs[0]?.sha256).toBe(edited.inputs[3]?.sha256);
  });

  it('vary makes a child of a job, and list yields the children of all pages', async () => {
    const parent = await darkroom.generate({ prompt: 'A parent by the client' });
    const first = await darkroom.vary(parent.images[0], { prompt: 'A darker one' });
    const second = await darkroom.vary(parent, { wait: false });
    const children: string[] = [];
    for await (const job of darkroom.list({ parent: parent.id, limit: 1 })) children.push(job.id);
    expect(children).toEqual([second.id, first.id]);
    const filtered: string[] = [];
    for await (const job of darkroom.list({ metadata: { order: 'unknown' } })) filtered.push(job.id);
    expect(filtered).toEqual([]);
  });

  it('cancel, retry and erase stop, repeat and remove a job', async () => {
    const slow = await darkroom.generate({ prompt: 'A slow one [studio:latency=20000]' }, { wait: false });
    const waiting = darkroom.wait(slow).catch((error: unknown) => error);
    expect((await darkroom.cancel(slow)).id).toBe(slow.id);
    const ended = await waiting;
    expect(ended).toBeInstanceOf(JobEndedError);
    expect(ended).toMatchObject({ code: 'canceled', jobId: slow.id });
    const repeated = await darkroom.retry(slow, { wait: false });
    expect(repeated.parent_id).toBe(slow.id);
    await darkroom.cancel(repeated.id);
    await darkroom.erase(slow);
    await expect(darkroom.get(slow)).rejects.toMatchObject({ code: 'erased', status: 410 });
  });

  it('estimate returns the cost of a request and of an edit without a job', async () => {
    const before = service.studio.calls.length;
    const { estimate } = await darkroom.estimate({ prompt: 'How much', quality: 'low' });
    expect(estimate.high_micro_usd).toBeGreaterThan(0);
    const edit = await darkroom.estimate({ prompt: 'How much', quality: 'low', images: photo });
    expect(edit.estimate.high_micro_usd).toBeGreaterThan(estimate.high_micro_usd ?? 0);
    expect(service.studio.calls).toHaveLength(before);
  });

  it('the same idempotency key returns the same job, also for an edit with files', async () => {
    const request = { prompt: 'Once by the client', images: photo };
    const first = await darkroom.edit(request, { idempotencyKey: 'client-once' });
    const again = await darkroom.edit(request, { idempotencyKey: 'client-once' });
    expect(again.id).toBe(first.id);
  });

  it('an aborted call rejects with the reason of the signal, and the job continues', async () => {
    const abort = new AbortController();
    const reason = new Error('The user left');
    const prompt = 'Left alone [studio:latency=1000]';
    const options = {
      signal: abort.signal,
      idempotencyKey: 'client-left',
      onEvent: () => abort.abort(reason),
    };
    await expect(darkroom.generate({ prompt }, options)).rejects.toBe(reason);
    const job = await darkroom.generate({ prompt }, { idempotencyKey: 'client-left' });
    expect(job.status).toBe('succeeded');
    expect(imageCalls(service.studio, 'Left alone')).toHaveLength(1);
  });

  it('a wait that exceeds its timeout names the job, which can be waited for again', async () => {
    const prompt = 'Too slow [studio:latency=1500]';
    const error = await darkroom.generate({ prompt }, { timeoutMs: 100 }).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'wait_timeout', jobId: expect.stringMatching(/^img_/) });
    const { jobId = '' } = error as { jobId?: string };
    expect((await darkroom.wait(jobId)).status).toBe('succeeded');
  });

  it('a link that has expired is renewed before a download', async () => {
    const { images } = await darkroom.generate({ prompt: 'An old link' });
    const link = new URL(images[0].url);
    for (const name of link.searchParams.keys()) link.searchParams.set(name, '1');
    images[0].url = link.href;
    expect(sha256(await images[0].bytes())).toBe(images[0].sha256);
  });

  it('a job is followed by long polls if event streams do not work', async () => {
    const { fetch } = globalThis;
    const streams: string[] = [];
    const blocked = new Darkroom({
      apiKey: testKeys.acme,
      baseUrl: service.url,
      fetch: async (input, init) => {
        const url = input instanceof Request ? input.url : String(input);
        if (!url.endsWith('/events')) return fetch(input, init);
        streams.push(url);
        return new Response('<h1>Blocked</h1>', { status: 403 });
      },
    });
    const { status } = await blocked.generate({ prompt: 'Polled [studio:latency=800]' });
    expect([status, streams.length]).toEqual(['succeeded', 1]);
  });

  it('verifyWebhook accepts the webhooks of the service and refuses every change of them', async () => {
    const endpointServer = await startEndpointServer();
    const url = `http://127.0.0.1:${endpointServer.port}/hook`;
    const job = await darkroom.generate({ prompt: 'Announced', webhook: { url } });
    await arrived(endpointServer.requests, 3);
    await endpointServer.close();
    const secret = webhookSecretOf(Buffer.from(service.env.SECRETS_KEY ?? '', 'base64'), 'acme');
    const older = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
    for (const { body, headers } of endpointServer.requests) {
      const event = await verifyWebhook(body, headers, { secret: [older, secret] });
      expect(event.data).toMatchObject({ id: job.id });
      await verifyWebhook(Buffer.from(body), new Headers(headers as Record<string, string>), { secret });
      const changes: Parameters<typeof verifyWebhook>[] = [
        [`${body} `, headers, { secret }],
        [body, headers, { secret: older }],
        [body, { ...headers, 'webhook-id': 'evt_other' }, { secret }],
        [body, { ...headers, 'webhook-timestamp': '1' }, { secret }],
        [body, { ...headers, 'webhook-signature': 'v1,é v2,AA==' }, { secret }],
        [body, {}, { secret }],
      ];
      for (const change of changes) {
        await expect(verifyWebhook(...change)).rejects.toMatchObject({ code: 'webhook_invalid' });
      }
    }
  });

  it('the generated functions use the connection of the client', async () => {
    const { data } = await listPresets({ client: darkroom.client, throwOnError: true });
    expect(data.data.map(({ name }) => name)).toContain('avatar');
  });
});
