import { Webhook } from 'standardwebhooks';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { webhookSecretOf } from '../../src/lib/crypto/webhook-secret.ts';
import { eventually } from '../support/eventually.ts';
import { pendingDeliveries } from '../support/pending-deliveries.ts';
import { startService, type TestService } from '../support/service.ts';
import { arrived } from '../support/webhook-callers.ts';
import { type Received, startEndpointServer } from '../support/webhook-endpoints.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService({ WEBHOOK_ALLOW_PRIVATE: 'true' });
  return service.close;
});

interface Event {
  type: string;
  timestamp: string;
  data: { id: string; status: string; images: { url: string }[] };
}

/** Verifies the signature as an endpoint would. Returns the event. */
function verified({ body, headers }: Received, tenant = 'acme'): Event {
  const key = Buffer.from(service.env.SECRETS_KEY ?? '', 'base64');
  return new Webhook(webhookSecretOf(key, tenant)).verify(body, headers as Record<string, string>) as Event;
}

/** Starts an endpoint that responds with the given statuses in order. */
async function receive(...statuses: number[]) {
  let count = 0;
  const endpointServer = await startEndpointServer((_request, response) => {
    const status = statuses[Math.min(count, statuses.length - 1)] ?? 200;
    count += 1;
    response.writeHead(status).end('thanks');
  });
  return { ...endpointServer, url: `http://127.0.0.1:${endpointServer.port}/hook` };
}

const pendingTo = async (url: string) =>
  (await pendingDeliveries(service.env)).filter((delivery) => delivery.url === url);

describe('a webhook', () => {
  it('every event of a job is sent once, signed, with the job as a poll shows it', async () => {
    const endpointServer = await receive(204);
    const job = await service.acme.generate({ prompt: 'Delivered', webhook: { url: endpointServer.url } });
    await arrived(endpointServer.requests, 3);
    await endpointServer.close();

    const events = endpointServer.requests.map((request) => verified(request));
    expect(events.map((event) => event.type).sort()).toEqual([
      'image.queued',
      'image.started',
      'image.succeeded',
    ]);
    expect(new Set(endpointServer.requests.map((request) => request.headers['webhook-id'])).size).toBe(3);
    const { data } = events.find((event) => event.type === 'image.succeeded') ?? {};
    const withoutLinks = ({ images, ...rest }: Record<string, unknown>) => ({
      ...rest,
      images: (images as Record<string, unknown>[]).map(
        ({ url: _url, url_expires_at: _at, ...image }) => image,
      ),
    });
    expect(withoutLinks(data as never)).toEqual(withoutLinks(job as never));
    // The links use the address of the submission, not of the sending process.
    const bytes = await fetch(data?.images[0]?.url ?? '');
    expect(bytes.status).toBe(200);
    for (const { headers, method } of endpointServer.requests) {
      expect(method).toBe('POST');
      expect(headers['content-type']).toBe('application/json');
    }
  });

  it('a webhook shows the job as it was at the event', async () => {
    const endpointServer = await receive(200);
    await service.acme.generate({ prompt: 'As it was', webhook: { url: endpointServer.url } });
    await arrived(endpointServer.requests, 3);
    await endpointServer.close();
    const statuses = endpointServer.requests.map((request) => {
      const { type, data } = verified(request);
      return [type, data.status];
    });
    expect(Object.fromEntries(statuses)).toEqual({
      'image.queued': 'queued',
      'image.started': 'running',
      'image.succeeded': 'succeeded',
    });
  });

  it('a failed webhook is retried with the same id and the same body, apart from the links', async () => {
    const endpointServer = await receive(500, 200);
    const webhook = { url: endpointServer.url, events: ['image.succeeded'] };
    await service.acme.generate({ prompt: 'Delivered twice', webhook });
    await arrived(endpointServer.requests, 2);
    await endpointServer.close();

    const [first, second] = endpointServer.requests;
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    const withoutLinks = (body = '') => body.replaceAll(/"url":"[^"]*","url_expires_at":"[^"]*"/g, '');
    expect(withoutLinks(second?.body)).toBe(withoutLinks(first?.body));
    const seconds = (request: Received | undefined) => Number(request?.headers['webhook-timestamp']);
    expect(seconds(second)).toBeGreaterThan(seconds(first));
    for (const request of endpointServer.requests) expect(verified(request).type).toBe('image.succeeded');
  });

  it('a webhook is sent for the subscribed events only', async () => {
    const failing = await receive(200);
    await service.acme.generate({
      prompt: 'Fails [studio:bad-request]',
      webhook: { url: failing.url, events: ['image.failed', 'image.succeeded'] },
    });
    await arrived(failing.requests, 1);
    await failing.close();
    expect(failing.requests.map((request) => verified(request).type)).toEqual(['image.failed']);
  });

  it('a webhook is signed with the secret of its tenant', async () => {
    const endpointServer = await receive(200);
    const webhook = { url: endpointServer.url, events: ['image.queued'] };
    await service.other.submit({ prompt: 'Of another tenant', webhook });
    await arrived(endpointServer.requests, 1);
    await endpointServer.close();
    const [request] = endpointServer.requests;
    if (!request) throw new Error('no webhook arrived');
    expect(verified(request, 'other').type).toBe('image.queued');
    expect(() => verified(request, 'acme')).toThrow();
  });

  it('a webhook is not retried after 410', async () => {
    const gone = await receive(410);
    await service.acme.generate({ prompt: 'Gone', webhook: { url: gone.url, events: ['image.queued'] } });
    await arrived(gone.requests, 1);
    // A second attempt would be due after five seconds. Its delivery would be pending until then.
    await vi.waitFor(async () => expect(await pendingTo(gone.url)).toEqual([]), { timeout: 4000 });
    await gone.close();
    expect(gone.requests).toHaveLength(1);
  });

  it('a redirect is a failed delivery and is never followed', async () => {
    const target = await receive(200);
    const redirecting = await startEndpointServer((_request, response) =>
      response.writeHead(302, { location: target.url }).end(),
    );
    const url = `http://127.0.0.1:${redirecting.port}/`;
    await service.acme.generate({ prompt: 'Redirected', webhook: { url, events: ['image.queued'] } });
    await eventually(async () => {
      expect(await pendingTo(url)).toEqual([expect.objectContaining({ attempts: 1 })]);
    });
    expect(redirecting.requests).toHaveLength(1);
    expect(target.requests).toEqual([]);
    await Promise.all([target.close(), redirecting.close()]);
  });
});

describe('a webhook to a private address', () => {
  it('a webhook to a private address is refused before a job is created', async () => {
    const strict = await startService({ ROLES: 'api' });
    for (const url of [
      'http://127.0.0.1:9999/hook',
      'https://127.0.0.1/hook',
      'https://[::1]/hook',
      'https://10.0.0.1/hook',
      'https://169.254.169.254/latest/meta-data',
      'https://localhost/hook',
      'http://receiver.example/hook',
      'ftp://receiver.example/hook',
    ]) {
      const { body } = await strict.acme
        .post('/images')
        .send({ prompt: 'To a private address', webhook: { url } })
        .expect(422);
      expect(body, url).toMatchObject({
        code: 'destination_forbidden',
        errors: [{ pointer: '/webhook/url' }],
      });
    }
    const { body } = await strict.acme.get('/images').expect(200);
    expect(body.data).toEqual([]);
    await strict.close();
  });
});
