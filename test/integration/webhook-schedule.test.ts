import { describe, expect, it } from 'vitest';
import { webhookScheduleSeconds } from '../../src/domain/retry-schedule.ts';
import { connectWebhooks, endpointServerOf, isSignedWith } from '../support/webhook-core.ts';

/** Dispatches one event to one endpoint. */
async function oneDelivery(...given: Parameters<typeof connectWebhooks>) {
  const webhooks = await connectWebhooks(...given);
  const destination = await endpointServerOf();
  const endpoint = await webhooks.register({ url: destination.url, events: ['image.queued'] });
  await webhooks.emit();
  await webhooks.dispatch();
  const [delivery] = await webhooks.deliveriesTo(endpoint.id);
  if (!delivery) throw new Error('nothing was announced');
  return { webhooks, destination, endpoint, shown: () => webhooks.getDelivery('acme', delivery.id) };
}

const msBetween = (earlier: string, later: string) => Date.parse(later) - Date.parse(earlier);

describe('a delivery that never arrives', () => {
  it('attempts a delivery ten times by the published schedule, then gives it up, and logs every attempt', async () => {
    let draws = 0;
    // Covers the whole range of the jitter, including both ends.
    const random = () => [0, 0.999, 0.5][draws++ % 3] ?? 0;
    const { webhooks, destination, endpoint, shown } = await oneDelivery({ random });
    destination.response((_request, response) => response.writeHead(500).end('out of order'));
    const submittedAt = webhooks.clock();
    await webhooks.emptyForGood(endpoint.id);

    const { attempts, ...delivery } = await shown();
    expect(delivery).toMatchObject({
      ...{ status: 'failed', outcome: 'http_500', attempt_count: 10, next_attempt_at: null },
      finished_at: new Date(webhooks.clock()).toISOString(),
    });
    expect(attempts.map(({ no }) => no)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    let before = new Date(submittedAt).toISOString();
    for (const [i, attempt] of attempts.entries()) {
      const seconds = webhookScheduleSeconds[i] ?? Number.NaN;
      const waitedMs = msBetween(before, attempt.started_at);
      expect(waitedMs, `before attempt ${i + 1}`).toBeGreaterThanOrEqual(seconds * 1_000);
      expect(waitedMs, `before attempt ${i + 1}`).toBeLessThanOrEqual(seconds * 1_100);
      expect(attempt).toMatchObject({ outcome: 'http_500', status: 500, response_body: 'out of order' });
      before = attempt.started_at;
    }
  });

  it('sends the same id and bytes each time, with the timestamp and signature of the attempt', async () => {
    const { webhooks, destination, endpoint, shown } = await oneDelivery();
    destination.response(503);
    await webhooks.emptyForGood(endpoint.id);
    const { attempts, event_id } = await shown();
    const { requests } = destination;
    expect(requests).toHaveLength(10);
    expect(new Set(requests.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([event_id]));
    expect(new Set(requests.map(({ body }) => body)).size).toBe(1);
    expect(new Set(requests.map(({ headers }) => headers['webhook-signature'])).size).toBe(10);
    for (const [i, request] of requests.entries()) {
      const sentAt = Number(request.headers['webhook-timestamp']) * 1000;
      expect(new Date(sentAt).toISOString()).toBe(attempts[i]?.started_at);
      expect(isSignedWith(request, endpoint.secret)).toBe(true);
    }
  });

  it('logs the sent request without its signature', async () => {
    const { webhooks, destination, endpoint, shown } = await oneDelivery();
    destination.response(404);
    await webhooks.emptyAll(endpoint.id);
    const { attempts, event_id, next_attempt_at } = await shown();
    expect(attempts).toHaveLength(1);
    expect(attempts[0]).toMatchObject({ url: destination.url, status: 404, latency_ms: expect.any(Number) });
    expect(attempts[0]?.request_headers).toEqual({
      'content-type': 'application/json',
      'user-agent': 'Darkroom/test',
      'webhook-id': event_id,
      'webhook-timestamp': String(webhooks.clock() / 1000),
    });
    expect(msBetween(attempts[0]?.started_at ?? '', next_attempt_at ?? '')).toBe(5_000);
  });
});

describe('a delivery that arrives after failures', () => {
  it('makes no further attempt after a success', async () => {
    const { webhooks, destination, endpoint, shown } = await oneDelivery();
    let count = 0;
    destination.response((_request, response) => response.writeHead(++count < 3 ? 500 : 204).end());
    await webhooks.emptyForGood(endpoint.id);
    const { attempts, ...delivery } = await shown();
    expect(delivery).toMatchObject({ status: 'delivered', outcome: 'delivered', attempt_count: 3 });
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['http_500', 'http_500', 'delivered']);
    webhooks.passTime(5 * 86_400_000);
    expect(await webhooks.emptyAll(endpoint.id)).toBeNull();
    expect(destination.requests).toHaveLength(3);
  });

  it('makes no attempt before its scheduled time, however often the delivery queue runs', async () => {
    const { webhooks, destination, endpoint } = await oneDelivery();
    destination.response(500);
    await webhooks.emptyAll(endpoint.id);
    webhooks.passTime(4_999);
    for (let i = 0; i < 5; i++) await webhooks.emptyAll(endpoint.id);
    expect(destination.requests).toHaveLength(1);
    webhooks.passTime(1);
    await webhooks.emptyAll(endpoint.id);
    expect(destination.requests).toHaveLength(2);
  });
});

describe('an endpoint that sends Retry-After', () => {
  it.each([429, 502, 503, 504])(
    'waits for Retry-After with status %i, in seconds or as a date',
    async (status) => {
      const { webhooks, destination, endpoint } = await oneDelivery();
      const retryHints = [() => '120', () => new Date(webhooks.clock() + 900_000).toUTCString()];
      destination.response((_request, response) => {
        const hint = retryHints.shift();
        response.writeHead(hint ? status : 200, hint ? { 'retry-after': hint() } : {}).end();
      });
      expect(await webhooks.emptyAll(endpoint.id)).toBe(120_000);
      webhooks.passTime(120_000);
      expect(await webhooks.emptyAll(endpoint.id)).toBe(900_000);
      webhooks.passTime(900_000);
      expect(await webhooks.emptyAll(endpoint.id)).toBeNull();
      expect(destination.requests).toHaveLength(3);
    },
  );

  it('delays the other deliveries of an endpoint that sent Retry-After', async () => {
    const { webhooks, destination, endpoint } = await oneDelivery();
    destination.response((_request, response) => response.writeHead(429, { 'retry-after': '600' }).end());
    await webhooks.emptyAll(endpoint.id);
    await webhooks.emit(5);
    await webhooks.dispatch();
    expect(await webhooks.emptyAll(endpoint.id)).toBeNull();
    webhooks.passTime(599_999);
    await webhooks.emptyAll(endpoint.id);
    expect(destination.requests).toHaveLength(1);
    destination.response(200);
    webhooks.passTime(1);
    await webhooks.emptyAll(endpoint.id);
    expect(destination.times().size).toBe(6);
  });

  it('waits at most a day for Retry-After, and ignores the header with any other status', async () => {
    const { webhooks, destination, endpoint, shown } = await oneDelivery();
    const responses = [500, 429];
    destination.response((_request, response) =>
      response.writeHead(responses.shift() ?? 200, { 'retry-after': '99999999' }).end(),
    );
    expect(await webhooks.emptyAll(endpoint.id)).toBe(5_000);
    webhooks.passTime(5_000);
    await webhooks.emptyAll(endpoint.id);
    const { next_attempt_at, attempts } = await shown();
    expect(msBetween(attempts[1]?.started_at ?? '', next_attempt_at ?? '')).toBe(86_400_000);
  });
});
