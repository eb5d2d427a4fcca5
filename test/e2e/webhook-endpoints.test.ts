import { Webhook } from 'standardwebhooks';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { DeliveryView, EndpointView } from '../../src/domain/webhook-view.ts';
import {
  loopbackUrls,
  malformedUrls,
  reservedAddresses,
  urlOfAddress,
} from '../support/hostile-destinations.ts';
import { askRedis } from '../support/redis.ts';
import { startService, type TestService } from '../support/service.ts';
import { type Received, startReceiver } from '../support/webhook-receivers.ts';

type NewEndpoint = EndpointView & { secret: string };

let service: TestService;
beforeAll(async () => {
  service = await startService({
    WEBHOOK_ALLOW_PRIVATE: 'true',
    WEBHOOK_SCHEDULE_S: '0,1,3600',
    MAX_WEBHOOK_ENDPOINTS: '3',
  });
  return service.close;
});

/** A receiver that ends with its test and answers as told. */
async function receive(answer: (no: number) => number = () => 204, body = 'thanks') {
  let no = 0;
  const receiver = await startReceiver((_request, response) => {
    no += 1;
    response.writeHead(answer(no)).end(body);
  });
  onTestFinished(receiver.close);
  return { ...receiver, url: `http://127.0.0.1:${receiver.port}/hook` };
}

/** An endpoint that is removed with its test. */
async function register(body: object): Promise<NewEndpoint> {
  const answer = await service.acme.post('/webhooks/endpoints').send(body).expect(201);
  onTestFinished(async () => void (await service.acme.delete(`/webhooks/endpoints/${answer.body.id}`)));
  return answer.body;
}

const patch = (id: string, body: object) => service.acme.patch(`/webhooks/endpoints/${id}`).send(body);
const endpoint = async (id: string): Promise<EndpointView> =>
  (await service.acme.get(`/webhooks/endpoints/${id}`).expect(200)).body;
const deliveries = async (query: string): Promise<DeliveryView[]> =>
  (await service.acme.get(`/webhooks/deliveries?${query}`).expect(200)).body.data;
const arrived = (requests: readonly Received[], count: number) =>
  vi.waitFor(() => expect(requests.length).toBeGreaterThanOrEqual(count), { timeout: 15_000 });
const typeOf = (received: Received, secret: string) =>
  (new Webhook(secret).verify(received.body, received.headers as Record<string, string>) as { type: string })
    .type;

describe('a registered endpoint', () => {
  it('gets the events it asked for, of every job, signed with a secret that is shown once and kept encrypted', async () => {
    const receiver = await receive();
    const own = await receive();
    const { secret, ...shown } = await register({
      url: receiver.url,
      events: ['image.succeeded', 'image.failed'],
      description: 'orders',
      metadata: { team: 'shop' },
    });
    const done = await service.acme.order({
      prompt: 'One',
      webhook: { url: own.url, events: ['image.succeeded'] },
    });
    const failed = await service.acme.order({ prompt: 'Two [studio:bad-request]' });
    await arrived(receiver.requests, 2);
    await arrived(own.requests, 1);

    expect(receiver.requests.map((each) => typeOf(each, secret)).sort()).toEqual([
      'image.failed',
      'image.succeeded',
    ]);
    expect(own.requests[0]?.headers['webhook-id']).toBe(
      receiver.requests.find(({ body }) => body.includes(done.id))?.headers['webhook-id'],
    );
    expect(receiver.requests.some(({ body }) => body.includes(failed.id))).toBe(true);
    expect(shown).toMatchObject({ status: 'enabled', description: 'orders', metadata: { team: 'shop' } });
    expect(JSON.stringify(await endpoint(shown.id))).not.toContain(secret);
    expect(JSON.stringify((await service.acme.get('/webhooks/endpoints').expect(200)).body)).not.toContain(
      secret,
    );
    const { REDIS_URL = '', REDIS_KEY_PREFIX } = service.env;
    const rows = await askRedis(REDIS_URL, async (redis) =>
      redis.mget(...(await redis.keys(`${REDIS_KEY_PREFIX}:*:whk:*`))),
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.join()).not.toContain(secret.slice('whsec_'.length));
  });

  it('can be moved, switched off and on again, and says what happened to it', async () => {
    const before = await receive();
    const after = await receive();
    const { id, secret } = await register({ url: before.url, events: ['image.queued'] });
    await patch(id, { url: after.url }).expect(200);
    await service.acme.order({ prompt: 'To the new address' });
    await arrived(after.requests, 1);
    await patch(id, { disabled: true }).expect(200);
    await service.acme.order({ prompt: 'To nobody' });
    const { body } = await patch(id, { disabled: false }).expect(200);
    await service.acme.order({ prompt: 'To the new address again' });
    await arrived(after.requests, 2);

    expect(before.requests).toEqual([]);
    expect(after.requests.map((each) => typeOf(each, secret))).toEqual(['image.queued', 'image.queued']);
    expect(after.requests.map((each) => each.body).join()).not.toContain('To nobody');
    expect((body as EndpointView).history.map(({ what }) => what)).toEqual([
      'created',
      'changed',
      'disabled',
      'enabled',
    ]);
  });

  it('signs with the old and the new secret after a rotation', async () => {
    const receiver = await receive();
    const { id, secret } = await register({ url: receiver.url });
    const { body } = await service.acme.post(`/webhooks/endpoints/${id}/rotate-secret`).expect(200);
    await service.acme.post(`/webhooks/endpoints/${id}/test`).expect(200);
    const [request] = receiver.requests;
    if (!request) throw new Error('nothing arrived');
    expect(typeOf(request, secret)).toBe('webhook.test');
    expect(typeOf(request, body.secret)).toBe('webhook.test');
    expect(body.secrets).toEqual([{ expires_at: null }, { expires_at: expect.any(String) }]);
  });

  it('takes a secret of the owner, and no bad one', async () => {
    const receiver = await receive();
    const secret = `whsec_${Buffer.alloc(24, 3).toString('base64')}`;
    expect((await register({ url: receiver.url, secret })).secret).toBe(secret);
    for (const bad of ['', 'whsec_', 'secret', `whsec_${'A'.repeat(31)}`, `whsec_${'A'.repeat(33)}`]) {
      const answer = await service.acme.post('/webhooks/endpoints').send({ url: receiver.url, secret: bad });
      expect([answer.status, answer.body.code], bad).toEqual([422, 'validation_failed']);
    }
  });

  it('shows at once what its receiver says to a test', async () => {
    const receiver = await receive(() => 503, 'closed for today');
    const { id } = await register({ url: receiver.url });
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
    expect(await deliveries(`endpoint_id=${id}`)).toEqual([body]);
  });

  it('that answers 410 is switched off at once, and what it missed can be recovered', async () => {
    const receiver = await receive((no) => (no === 1 ? 410 : 204));
    const since = new Date().toISOString();
    const { id } = await register({ url: receiver.url, events: ['image.succeeded'] });
    await service.acme.order({ prompt: 'Told to stop' });
    await vi.waitFor(async () =>
      expect(await endpoint(id)).toMatchObject({ status: 'disabled', disabled_reason: 'gone' }),
    );
    await service.acme.order({ prompt: 'While it was off' });
    await vi.waitFor(async () => expect(await deliveries(`endpoint_id=${id}&status=failed`)).toHaveLength(2));
    const recover = () => service.acme.post(`/webhooks/endpoints/${id}/recover`).send({ since });
    expect((await recover().expect(409)).body.code).toBe('endpoint_disabled');
    await patch(id, { disabled: false }).expect(200);
    expect((await recover().expect(202)).body).toMatchObject({ object: 'webhook_recovery', deliveries: 2 });
    await arrived(receiver.requests, 3);
    await vi.waitFor(async () =>
      expect(await deliveries(`endpoint_id=${id}&status=delivered`)).toHaveLength(2),
    );
    expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(2);
  });

  it('is refused for every hostile address, new and changed, and nothing is kept or connected', async () => {
    const strict = await startService({ ROLES: 'api' });
    const bait = await startReceiver(undefined, { host: '::' });
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

  it('is one of a limited number', async () => {
    const receiver = await receive();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => service.acme.post('/webhooks/endpoints').send({ url: receiver.url })),
    );
    const made = answers.filter(({ status }) => status === 201).map(({ body }) => body.id);
    const refused = answers.filter(({ status }) => status === 409);
    for (const id of made) await service.acme.delete(`/webhooks/endpoints/${id}`).expect(204);
    expect([made.length, refused.length]).toEqual([3, 5]);
    expect(refused[0]?.body.code).toBe('too_many_endpoints');
  });
});

describe('the log of deliveries', () => {
  it('holds every attempt, is found by job, endpoint and status, and a delivery can be sent again', async () => {
    const receiver = await receive((no) => (no <= 2 ? 500 : 200), 'no luck');
    const { id } = await register({ url: receiver.url, events: ['image.succeeded'] });
    const job = await service.acme.order({ prompt: 'Tried twice' });
    await arrived(receiver.requests, 2);
    await vi.waitFor(async () => {
      const [found] = await deliveries(`image_id=${job.id}`);
      expect(found).toMatchObject({
        status: 'pending',
        outcome: 'http_500',
        attempt_count: 2,
        endpoint_id: id,
      });
    });
    const [pending] = await deliveries(`image_id=${job.id}`);
    if (!pending) throw new Error('no delivery');
    expect(pending.attempts).toEqual([
      expect.objectContaining({ no: 1, status: 500, outcome: 'http_500', response_body: 'no luck' }),
      expect.objectContaining({ no: 2, status: 500 }),
    ]);
    const dueInMs = Date.parse(pending.next_attempt_at ?? '') - Date.now();
    expect(dueInMs).toBeGreaterThan(3_500_000);
    expect(dueInMs).toBeLessThan(3_961_000);

    const { body } = await service.acme.post(`/webhooks/deliveries/${pending.id}/redeliver`).expect(202);
    expect(body).toMatchObject({ id: pending.id, status: 'pending' });
    await arrived(receiver.requests, 3);
    await vi.waitFor(async () => {
      const answer = await service.acme.get(`/webhooks/deliveries/${pending.id}`).expect(200);
      expect(answer.body).toMatchObject({ status: 'delivered', attempt_count: 3, next_attempt_at: null });
    });
    const [first, , third] = receiver.requests;
    expect([third?.headers['webhook-id'], third?.body]).toEqual([first?.headers['webhook-id'], first?.body]);
    for (const query of [`endpoint_id=${id}`, 'status=delivered', `image_id=${job.id}&status=delivered`]) {
      expect(
        (await deliveries(query)).map((each) => each.id),
        query,
      ).toContain(pending.id);
    }
    expect(await deliveries(`image_id=${job.id}&status=failed`)).toEqual([]);
  });

  it('is read page by page, newest event first', async () => {
    const receiver = await receive();
    const { id } = await register({ url: receiver.url, events: ['image.queued'] });
    for (let i = 0; i < 5; i++) await service.acme.submit({ prompt: `Page ${i}` });
    await vi.waitFor(async () =>
      expect(await deliveries(`endpoint_id=${id}&status=delivered`)).toHaveLength(5),
    );
    const seen: DeliveryView[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await service.acme
        .get(`/webhooks/deliveries?endpoint_id=${id}&limit=2${cursor}`)
        .expect(200);
      seen.push(...body.data);
      if (!body.has_more) break;
      cursor = `&cursor=${body.next_cursor}`;
    }
    expect(seen).toHaveLength(5);
    expect(seen.map(({ event_at }) => event_at)).toEqual(
      seen
        .map(({ event_at }) => event_at)
        .sort()
        .reverse(),
    );
  });

  it('forgets what an erased job told', async () => {
    const receiver = await receive(() => 500);
    await register({ url: receiver.url });
    const job = await service.acme.order({ prompt: 'To be forgotten' });
    await vi.waitFor(async () => expect(await deliveries(`image_id=${job.id}`)).toHaveLength(3));
    const [delivery] = await deliveries(`image_id=${job.id}`);
    await service.acme.delete(`/images/${job.id}`).expect(204);
    expect(await deliveries(`image_id=${job.id}`)).toEqual([]);
    await service.acme.get(`/webhooks/deliveries/${delivery?.id}`).expect(404);
    const { REDIS_URL = '', REDIS_KEY_PREFIX } = service.env;
    const left = await askRedis(REDIS_URL, (redis) => redis.keys(`${REDIS_KEY_PREFIX}:*${job.id.slice(4)}*`));
    expect(left.filter((key) => key.includes(':evt:') || key.includes(':dlvs:'))).toEqual([]);
  });
});

describe('the secret of webhooks that orders name', () => {
  it('can be read with the key, and verifies them', async () => {
    const receiver = await receive();
    const { body } = await service.acme.get('/webhooks/secret').expect(200);
    await service.acme.submit({ prompt: 'Signed', webhook: { url: receiver.url, events: ['image.queued'] } });
    await arrived(receiver.requests, 1);
    const [request] = receiver.requests;
    expect(request && typeOf(request, body.secret)).toBe('image.queued');
  });
});
