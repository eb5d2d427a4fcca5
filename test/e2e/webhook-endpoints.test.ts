import { Webhook } from 'standardwebhooks';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { EndpointView } from '../../src/domain/webhook-view.ts';
import { createCaller } from '../support/caller.ts';
import { eventually } from '../support/eventually.ts';
import {
  loopbackUrls,
  malformedUrls,
  reservedAddresses,
  urlOfAddress,
} from '../support/hostile-destinations.ts';
import { queryRedis } from '../support/redis.ts';
import { startService, type TestService } from '../support/service.ts';
import { arrived, deliveriesBy, receive, register } from '../support/webhook-callers.ts';
import { type Received, startEndpointServer } from '../support/webhook-endpoints.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService({
    WEBHOOK_ALLOW_PRIVATE: 'true',
    WEBHOOK_SCHEDULE_S: '0,1,3600',
    MAX_WEBHOOK_ENDPOINTS: '3',
  });
  return service.close;
});

const patch = (id: string, body: object) => service.acme.patch(`/webhooks/endpoints/${id}`).send(body);
const endpoint = async (id: string): Promise<EndpointView> =>
  (await service.acme.get(`/webhooks/endpoints/${id}`).expect(200)).body;
const typeOf = (received: Received, secret: string) =>
  (new Webhook(secret).verify(received.body, received.headers as Record<string, string>) as { type: string })
    .type;

describe('a registered endpoint', () => {
  it('an endpoint gets its subscribed events of every job, signed with a secret that is shown once and stored encrypted', async () => {
    const endpointServer = await receive();
    const own = await receive();
    const { secret, ...shown } = await register(service, {
      url: endpointServer.url,
      events: ['image.succeeded', 'image.failed'],
      description: 'shop',
      metadata: { team: 'shop' },
    });
    const done = await service.acme.generate({
      prompt: 'One',
      webhook: { url: own.url, events: ['image.succeeded'] },
    });
    const failed = await service.acme.generate({ prompt: 'Two [studio:bad-request]' });
    await arrived(endpointServer.requests, 2);
    await arrived(own.requests, 1);

    expect(endpointServer.requests.map((each) => typeOf(each, secret)).sort()).toEqual([
      'image.failed',
      'image.succeeded',
    ]);
    expect(own.requests[0]?.headers['webhook-id']).toBe(
      endpointServer.requests.find(({ body }) => body.includes(done.id))?.headers['webhook-id'],
    );
    expect(endpointServer.requests.some(({ body }) => body.includes(failed.id))).toBe(true);
    expect(shown).toMatchObject({ status: 'enabled', description: 'shop', metadata: { team: 'shop' } });
    expect(JSON.stringify(await endpoint(shown.id))).not.toContain(secret);
    expect(JSON.stringify((await service.acme.get('/webhooks/endpoints').expect(200)).body)).not.toContain(
      secret,
    );
    const { REDIS_URL = '', REDIS_KEY_PREFIX } = service.env;
    const rows = await queryRedis(REDIS_URL, async (redis) =>
      redis.mget(...(await redis.keys(`${REDIS_KEY_PREFIX}:*:whk:*`))),
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.join()).not.toContain(secret.slice('whsec_'.length));
  });

  it('an endpoint can be moved, disabled and enabled, and its history shows the changes', async () => {
    const before = await receive();
    const after = await receive();
    const { id, secret } = await register(service, { url: before.url, events: ['image.queued'] });
    await patch(id, { url: after.url }).expect(200);
    await service.acme.generate({ prompt: 'To the new address' });
    await arrived(after.requests, 1);
    await patch(id, { disabled: true }).expect(200);
    await service.acme.generate({ prompt: 'To no endpoint' });
    const { body } = await patch(id, { disabled: false }).expect(200);
    await service.acme.generate({ prompt: 'To the new address again' });
    await arrived(after.requests, 2);

    expect(before.requests).toEqual([]);
    expect(after.requests.map((each) => typeOf(each, secret))).toEqual(['image.queued', 'image.queued']);
    expect(after.requests.map((each) => each.body).join()).not.toContain('To no endpoint');
    expect((body as EndpointView).history.map(({ what }) => what)).toEqual([
      'created',
      'changed',
      'disabled',
      'enabled',
    ]);
  });

  it('webhooks are signed with the old and the new secret after a rotation', async () => {
    const endpointServer = await receive();
    const { id, secret } = await register(service, { url: endpointServer.url });
    const { body } = await service.acme.post(`/webhooks/endpoints/${id}/rotate-secret`).expect(200);
    await service.acme.post(`/webhooks/endpoints/${id}/test`).expect(200);
    const [request] = endpointServer.requests;
    if (!request) throw new Error('nothing arrived');
    expect(typeOf(request, secret)).toBe('webhook.test');
    expect(typeOf(request, body.secret)).toBe('webhook.test');
    expect(body.secrets).toEqual([{ expires_at: null }, { expires_at: expect.any(String) }]);
  });

  it('an endpoint accepts a valid secret of its owner and refuses invalid ones', async () => {
    const endpointServer = await receive();
    const secret = `whsec_${Buffer.alloc(24, 3).toString('base64')}`;
    expect((await register(service, { url: endpointServer.url, secret })).secret).toBe(secret);
    for (const bad of ['', 'whsec_', 'secret', `whsec_${'A'.repeat(31)}`, `whsec_${'A'.repeat(33)}`]) {
      const response = await service.acme
        .post('/webhooks/endpoints')
        .send({ url: endpointServer.url, secret: bad });
      expect([response.status, response.body.code], bad).toEqual([422, 'validation_failed']);
    }
  });

  it.each([23, 65])(
    'a secret of %i bytes is refused with a pointer at registration and at rotation',
    async (size) => {
      const endpointServer = await receive();
      const secret = `whsec_${Buffer.alloc(size, 3).toString('base64')}`;
      const { id } = await register(service, { url: endpointServer.url });
      const responses = [
        await service.acme.post('/webhooks/endpoints').send({ url: endpointServer.url, secret }).expect(422),
        await service.acme.post(`/webhooks/endpoints/${id}/rotate-secret`).send({ secret }).expect(422),
      ];
      for (const { body } of responses) {
        expect(body.errors).toEqual([expect.objectContaining({ pointer: '/secret' })]);
      }
    },
  );

  it('a test delivery returns the response of the endpoint at once', async () => {
    const endpointServer = await receive(() => 503, 'closed for today');
    const { id } = await register(service, { url: endpointServer.url });
    const { body } = await service.acme.post(`/webhooks/endpoints/${id}/test`).expect(200);
    expect(body).toMatchObject({
      type: 'webhook.test',
      status: 'failed',
      image_id: null,
      endpoint_id: id,
      attempts: [{ no: 1, outcome: 'http_503', status: 503, response_body: 'closed for today' }],
    });
    expect(body.attempts[0].request_headers).toMatchObject({ 'webhook-id': body.event_id });
    expect(body.attempts[0].request_headers).not.toHaveProperty('webhook-signature');
    expect((await endpoint(id)).health.consecutive_failures).toBe(0);
    expect(await deliveriesBy(service, `endpoint_id=${id}`)).toEqual([body]);
  });

  it('an endpoint that responds with 410 is disabled at once, and its missed events can be recovered', async () => {
    const endpointServer = await receive((no) => (no === 1 ? 410 : 204));
    const since = new Date().toISOString();
    const { id } = await register(service, { url: endpointServer.url, events: ['image.succeeded'] });
    await service.acme.generate({ prompt: 'Gone' });
    await eventually(async () =>
      expect(await endpoint(id)).toMatchObject({ status: 'disabled', disabled_reason: 'gone' }),
    );
    await service.acme.generate({ prompt: 'While it was off' });
    await eventually(async () =>
      expect(await deliveriesBy(service, `endpoint_id=${id}&status=failed`)).toHaveLength(2),
    );
    const recover = () => service.acme.post(`/webhooks/endpoints/${id}/recover`).send({ since });
    expect((await recover().expect(409)).body.code).toBe('endpoint_disabled');
    await patch(id, { disabled: false }).expect(200);
    expect((await recover().expect(202)).body).toMatchObject({ object: 'webhook_recovery', deliveries: 2 });
    await arrived(endpointServer.requests, 3);
    await eventually(async () =>
      expect(await deliveriesBy(service, `endpoint_id=${id}&status=delivered`)).toHaveLength(2),
    );
    expect(new Set(endpointServer.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(2);
  });

  it('a hostile address is refused at creation and at change, without storing or connecting', async () => {
    const strict = await startService({ ROLES: 'api' });
    const bait = await startEndpointServer(undefined, { host: '::' });
    const good = await strict.acme
      .post('/webhooks/endpoints')
      .send({ url: 'https://receiver.example/' })
      .expect(201);
    const urls = [
      ...loopbackUrls(bait.port),
      ...reservedAddresses.map((address) => urlOfAddress(address, bait.port)),
      ...malformedUrls,
    ].filter((url) => url !== '');
    expect(urls.length).toBeGreaterThan(80);
    for (const url of urls) {
      const created = await strict.acme.post('/webhooks/endpoints').send({ url });
      const changed = await strict.acme.patch(`/webhooks/endpoints/${good.body.id}`).send({ url });
      for (const { status, body } of [created, changed]) {
        expect([status, body.code, body.errors?.[0]?.pointer], url).toEqual([
          422,
          'destination_forbidden',
          '/url',
        ]);
      }
    }
    const { body } = await strict.acme.get('/webhooks/endpoints').expect(200);
    expect(body.data.map(({ url }: EndpointView) => url)).toEqual(['https://receiver.example/']);
    expect(bait.connections()).toBe(0);
    await Promise.all([strict.close(), bait.close()]);
  });

  it('a tenant can register at most MAX_WEBHOOK_ENDPOINTS endpoints', async () => {
    const endpointServer = await receive();
    const responses = await Promise.all(
      Array.from({ length: 8 }, () =>
        service.acme.post('/webhooks/endpoints').send({ url: endpointServer.url }),
      ),
    );
    const made = responses.filter(({ status }) => status === 201).map(({ body }) => body.id);
    const refused = responses.filter(({ status }) => status === 409);
    for (const id of made) await service.acme.delete(`/webhooks/endpoints/${id}`).expect(204);
    expect([made.length, refused.length]).toEqual([3, 5]);
    expect(refused[0]?.body.code).toBe('too_many_endpoints');
  });
});

describe('the secret of the webhooks of single jobs', () => {
  it('the tenant can read the secret that verifies the webhooks of its jobs', async () => {
    const endpointServer = await receive();
    const { body } = await service.acme.get('/webhooks/secret').expect(200);
    await service.acme.submit({
      prompt: 'Signed',
      webhook: { url: endpointServer.url, events: ['image.queued'] },
    });
    await arrived(endpointServer.requests, 1);
    const [request] = endpointServer.requests;
    expect(request && typeOf(request, body.secret)).toBe('image.queued');
  });

  it('a webhook secret that all tenants share is shown to the operator only', async () => {
    const shared = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const deployment = await startService({ WEBHOOK_SECRET: shared, ADMIN_KEY: 'the-key-of-the-operator' });
    onTestFinished(deployment.close);
    const { body } = await deployment.acme.get('/webhooks/secret').expect(403);
    expect(body.code).toBe('insufficient_scope');
    expect(JSON.stringify(body)).not.toContain(shared);
    const operator = createCaller(deployment.url, 'the-key-of-the-operator');
    // The administrator of a tenant could otherwise sign webhooks for every other tenant.
    const ofTenant = { tenant: 'acme', scopes: ['admin'] };
    const { body: created } = await operator.post('/keys').send(ofTenant).expect(201);
    await createCaller(deployment.url, created.key).get('/webhooks/secret').expect(403);
    expect((await operator.get('/webhooks/secret').expect(200)).body.secret).toBe(shared);
  });
});
