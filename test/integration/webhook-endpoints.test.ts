import { describe, expect, it } from 'vitest';
import { author, connectWebhooks, endpointServerOf, held } from '../support/webhook-core.ts';

/** Registers an endpoint that subscribes to one event of each job. */
async function registered() {
  const webhooks = await connectWebhooks();
  const destination = await endpointServerOf();
  const endpoint = await webhooks.register({ url: destination.url, events: ['image.queued'] });
  return {
    webhooks,
    destination,
    endpoint,
    async pending(count: number) {
      await webhooks.emit(count);
      await webhooks.dispatch();
    },
    /** Counts the deliveries of each status and outcome. */
    async outcomes() {
      const counts: Record<string, number> = {};
      for (const { status, outcome } of await webhooks.deliveriesTo(endpoint.id)) {
        const name = outcome === undefined || outcome === status ? status : `${status}: ${outcome}`;
        counts[name] = (counts[name] ?? 0) + 1;
      }
      return counts;
    },
    enable: () => webhooks.manageEndpoints.update(author, endpoint.id, { disabled: false }),
    shown: () => webhooks.manageEndpoints.get('acme', endpoint.id),
  };
}

describe('an endpoint that responds with 410', () => {
  it('disables an endpoint at its first 410 and gives up its pending deliveries', async () => {
    const { webhooks, destination, endpoint, pending, outcomes, shown } = await registered();
    destination.response(410);
    await pending(30);
    expect(await webhooks.emptyAll(endpoint.id)).toBeNull();
    const sent = destination.requests.length;
    // The limit is the number of attempts that were in flight at the same time.
    expect(sent).toBeLessThanOrEqual(8);
    expect(await outcomes()).toEqual({ 'failed: gone': sent, 'failed: endpoint_disabled': 30 - sent });
    expect(await shown()).toMatchObject({
      ...{ status: 'disabled', disabled_reason: 'gone' },
      history: [{ what: 'created' }, { what: 'disabled', detail: 'the endpoint responded 410' }],
    });
    await pending(2);
    await webhooks.emptyAll(endpoint.id);
    expect(destination.requests).toHaveLength(sent);
    expect(await outcomes()).toMatchObject({ 'failed: endpoint_disabled': 32 - sent });
  });

  it('delivers everything that was missed under the same ids once the owner enables and recovers the endpoint', async () => {
    const { webhooks, destination, endpoint, pending, outcomes, enable } = await registered();
    destination.response(410);
    await pending(250);
    await webhooks.emptyAll(endpoint.id);
    webhooks.passTime(3_600_000);
    await pending(3);
    await webhooks.emptyAll(endpoint.id);
    const refused = [...destination.times().keys()];

    const recover = (sinceMs: number) => webhooks.recoverEndpoint('acme', endpoint.id, sinceMs);
    await expect(recover(0)).rejects.toMatchObject({ code: 'endpoint_disabled' });
    destination.response(200);
    await enable();
    expect(await recover(webhooks.clock())).toBe(3);
    await webhooks.emptyAll(endpoint.id);
    expect(await outcomes()).toMatchObject({ delivered: 3 });
    expect(await recover(0)).toBe(250);
    await webhooks.emptyAll(endpoint.id);
    expect(await outcomes()).toEqual({ delivered: 253 });
    expect(destination.times().size).toBe(253);
    for (const id of refused) expect(destination.times().get(id)).toBe(2);
    expect(await recover(0)).toBe(0);
  });

  it('keeps an endpoint enabled if its URL changed before the 410 arrived', async () => {
    const { webhooks, destination, endpoint, pending, outcomes, shown } = await registered();
    const responses = held();
    destination.response(responses.listener(410));
    await pending(20);
    const run = webhooks.empty(endpoint.id);
    await expect.poll(() => destination.requests.length).toBe(8);
    const moved = await endpointServerOf();
    await webhooks.manageEndpoints.update(author, endpoint.id, { url: moved.url });
    responses.release();
    await run;
    expect(await shown()).toMatchObject({ status: 'enabled', url: moved.url });
    await webhooks.emptyForGood(endpoint.id);
    expect(await outcomes()).toEqual({ 'failed: gone': 8, delivered: 12 });
    expect(moved.times().size).toBe(12);
  });
});

describe('an endpoint disabled by its owner', () => {
  it('gives up its deliveries and records further events, which its owner recovers after it is enabled', async () => {
    const { webhooks, destination, endpoint, pending, outcomes, enable } = await registered();
    await pending(5);
    await webhooks.manageEndpoints.update(author, endpoint.id, { disabled: true });
    await webhooks.emptyAll(endpoint.id);
    expect(await outcomes()).toEqual({ 'failed: endpoint_disabled': 5 });
    await pending(5);
    await webhooks.emptyAll(endpoint.id);
    await enable();
    await webhooks.emptyAll(endpoint.id);
    expect(destination.requests).toEqual([]);
    expect(await outcomes()).toEqual({ 'failed: endpoint_disabled': 10 });
    expect(await webhooks.recoverEndpoint('acme', endpoint.id, 0)).toBe(10);
    await webhooks.emptyAll(endpoint.id);
    expect(destination.requests).toHaveLength(10);
    expect(await outcomes()).toEqual({ delivered: 10 });
  });

  it('after a response of 410 still records events, which its owner recovers', async () => {
    const { webhooks, destination, endpoint, pending, outcomes, enable } = await registered();
    destination.response(410);
    await pending(1);
    await webhooks.emptyAll(endpoint.id);
    await webhooks.manageEndpoints.update(author, endpoint.id, { disabled: true });
    await pending(3);
    await webhooks.emptyAll(endpoint.id);
    destination.response(200);
    await enable();
    expect(await webhooks.recoverEndpoint('acme', endpoint.id, 0)).toBe(4);
    await webhooks.emptyAll(endpoint.id);
    expect(await outcomes()).toEqual({ delivered: 4 });
  });
});

describe('a deleted endpoint', () => {
  it('gives up pending deliveries of a deleted endpoint, and keeps the log without redelivery', async () => {
    const { webhooks, destination, endpoint, pending, outcomes } = await registered();
    await pending(3);
    await webhooks.manageEndpoints.delete(author, endpoint.id);
    await webhooks.emptyAll(endpoint.id);
    expect(await outcomes()).toEqual({ 'failed: endpoint_removed': 3 });
    expect(destination.requests).toEqual([]);
    const [delivery] = await webhooks.deliveriesTo(endpoint.id);
    await expect(webhooks.redeliver('acme', delivery?.id ?? '')).rejects.toMatchObject({
      code: 'endpoint_disabled',
    });
    await expect(webhooks.recoverEndpoint('acme', endpoint.id, 0)).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});

describe('an endpoint with a changed URL', () => {
  it('sends pending deliveries to a changed URL at once, although the old URL was in cooldown', async () => {
    const { webhooks, destination, endpoint, pending, outcomes } = await registered();
    destination.response(500);
    await pending(20);
    await webhooks.emptyAll(endpoint.id);
    const moved = await endpointServerOf();
    await webhooks.manageEndpoints.update(author, endpoint.id, { url: moved.url });
    await webhooks.emptyAll(endpoint.id);
    expect(moved.times().size).toBe(20 - destination.times().size);
    expect(destination.times().size).toBeLessThanOrEqual(12);
    await webhooks.emptyForGood(endpoint.id);
    expect(await outcomes()).toEqual({ delivered: 20 });
    expect(moved.times().size).toBe(20);
  });
});

describe('redelivery', () => {
  it('redelivers the same bytes under the same id at once, and continues the log', async () => {
    const { webhooks, destination, endpoint, pending } = await registered();
    await pending(1);
    await webhooks.emptyAll(endpoint.id);
    const [delivery] = await webhooks.deliveriesTo(endpoint.id);
    const id = delivery?.id ?? '';
    webhooks.passTime(86_400_000);
    expect(await webhooks.redeliver('acme', id)).toMatchObject({ status: 'pending', attempt_count: 1 });
    await webhooks.emptyAll(endpoint.id);
    const [first, second] = destination.requests;
    expect(second?.body).toBe(first?.body);
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    expect(await webhooks.getDelivery('acme', id)).toMatchObject({
      ...{ status: 'delivered', attempt_count: 2, attempts: [{ no: 1 }, { no: 2 }] },
    });
  });

  it('starts the schedule anew if a redelivery fails', async () => {
    const { webhooks, destination, endpoint, pending, outcomes } = await registered();
    destination.response(500);
    await pending(1);
    await webhooks.emptyForGood(endpoint.id);
    const [delivery] = await webhooks.deliveriesTo(endpoint.id);
    await webhooks.redeliver('acme', delivery?.id ?? '');
    // A manual redelivery bypasses the circuit breaker, because its caller has newer information.
    expect(await webhooks.emptyAll(endpoint.id)).toBe(5_000);
    await webhooks.emptyForGood(endpoint.id);
    expect(destination.requests).toHaveLength(20);
    expect(await outcomes()).toEqual({ 'failed: http_500': 1 });
  });

  it('rejects a redelivery if the payload is gone or the delivery belongs to another tenant', async () => {
    const { webhooks, endpoint, pending } = await registered();
    await pending(1);
    await webhooks.emptyAll(endpoint.id);
    const [delivery] = await webhooks.deliveriesTo(endpoint.id);
    const { id = '', eventId = '' } = delivery ?? {};
    await expect(webhooks.redeliver('other', id)).rejects.toMatchObject({ code: 'not_found' });
    await webhooks.events.remove('acme', [eventId]);
    await expect(webhooks.redeliver('acme', id)).rejects.toMatchObject({ code: 'erased' });
    expect(await webhooks.deliveriesTo(endpoint.id)).toEqual([delivery]);
  });
});

describe('the test event of an endpoint', () => {
  it('sends a test event at once, returns the response of the endpoint, and logs it', async () => {
    const { webhooks, destination, endpoint } = await registered();
    const shown = await webhooks.testEndpoint('acme', endpoint.id);
    expect(shown).toMatchObject({
      ...{ type: 'webhook.test', status: 'delivered', endpoint_id: endpoint.id, image_id: null },
      attempts: [{ no: 1, status: 200, response_body: 'thanks' }],
    });
    expect(JSON.parse(destination.requests[0]?.body ?? '')).toMatchObject({
      type: 'webhook.test',
      data: { object: 'webhook_test', endpoint_id: endpoint.id },
    });
    expect(await webhooks.getDelivery('acme', shown.id)).toEqual(shown);
    await webhooks.redeliver('acme', shown.id);
    await webhooks.emptyAll(endpoint.id);
    expect(destination.times().get(shown.event_id)).toBe(2);
  });

  it('ignores a failed test event: no retry, no failure count, and no disabling after 410', async () => {
    const { webhooks, destination, endpoint, shown } = await registered();
    for (const status of [500, 410, 500, 500, 500, 500]) {
      destination.response(status);
      expect(await webhooks.testEndpoint('acme', endpoint.id)).toMatchObject({
        ...{ status: 'failed', next_attempt_at: null, attempts: [{ status }] },
      });
    }
    expect(await shown()).toMatchObject({ status: 'enabled', health: { consecutive_failures: 0 } });
    expect(await webhooks.emptyAll(endpoint.id)).toBeNull();
    expect(destination.requests).toHaveLength(6);
  });

  it('rejects a test event for a disabled endpoint and for an endpoint of another tenant', async () => {
    const { webhooks, destination, endpoint } = await registered();
    await expect(webhooks.testEndpoint('other', endpoint.id)).rejects.toMatchObject({ code: 'not_found' });
    await webhooks.manageEndpoints.update(author, endpoint.id, { disabled: true });
    await expect(webhooks.testEndpoint('acme', endpoint.id)).rejects.toMatchObject({
      code: 'endpoint_disabled',
    });
    expect(destination.requests).toEqual([]);
  });
});
