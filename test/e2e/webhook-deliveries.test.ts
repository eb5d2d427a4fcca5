import { beforeAll, describe, expect, it } from 'vitest';
import type { DeliveryView } from '../../src/domain/webhook-view.ts';
import { eventually } from '../support/eventually.ts';
import { queryRedis } from '../support/redis.ts';
import { startService, type TestService } from '../support/service.ts';
import { withoutLinks } from '../support/webhook-bodies.ts';
import { arrived, deliveriesBy, receive, register } from '../support/webhook-callers.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService({
    WEBHOOK_ALLOW_PRIVATE: 'true',
    WEBHOOK_SCHEDULE_S: '0,1,3600',
  });
  return service.close;
});

describe('the log of deliveries', () => {
  it('a delivery shows every attempt, is found by job, endpoint and status, and can be redelivered', async () => {
    const endpointServer = await receive((no) => (no <= 2 ? 500 : 200), 'no luck');
    const { id } = await register(service, { url: endpointServer.url, events: ['image.succeeded'] });
    const job = await service.acme.generate({ prompt: 'Attempted twice' });
    await arrived(endpointServer.requests, 2);
    await eventually(async () => {
      const [found] = await deliveriesBy(service, `image_id=${job.id}`);
      expect(found).toMatchObject({
        status: 'pending',
        outcome: 'http_500',
        attempt_count: 2,
        endpoint_id: id,
      });
    });
    const [pending] = await deliveriesBy(service, `image_id=${job.id}`);
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
    await arrived(endpointServer.requests, 3);
    await eventually(async () => {
      const response = await service.acme.get(`/webhooks/deliveries/${pending.id}`).expect(200);
      expect(response.body).toMatchObject({ status: 'delivered', attempt_count: 3, next_attempt_at: null });
    });
    const [first, , third] = endpointServer.requests;
    expect(third?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    expect(withoutLinks(third?.body ?? '')).toBe(withoutLinks(first?.body ?? ''));
    for (const query of [`endpoint_id=${id}`, 'status=delivered', `image_id=${job.id}&status=delivered`]) {
      expect(
        (await deliveriesBy(service, query)).map((each) => each.id),
        query,
      ).toContain(pending.id);
    }
    expect(await deliveriesBy(service, `image_id=${job.id}&status=failed`)).toEqual([]);
  });

  it('deliveries are listed in pages, newest event first', async () => {
    const endpointServer = await receive();
    const { id } = await register(service, { url: endpointServer.url, events: ['image.queued'] });
    for (let i = 0; i < 5; i++) await service.acme.submit({ prompt: `Page ${i}` });
    await eventually(async () =>
      expect(await deliveriesBy(service, `endpoint_id=${id}&status=delivered`)).toHaveLength(5),
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

  it('erasing a job deletes its deliveries', async () => {
    const endpointServer = await receive(() => 500);
    await register(service, { url: endpointServer.url });
    const job = await service.acme.generate({ prompt: 'To be erased' });
    await eventually(async () => expect(await deliveriesBy(service, `image_id=${job.id}`)).toHaveLength(3));
    const [delivery] = await deliveriesBy(service, `image_id=${job.id}`);
    await service.acme.delete(`/images/${job.id}`).expect(204);
    expect(await deliveriesBy(service, `image_id=${job.id}`)).toEqual([]);
    await service.acme.get(`/webhooks/deliveries/${delivery?.id}`).expect(404);
    const { REDIS_URL = '', REDIS_KEY_PREFIX } = service.env;
    const left = await queryRedis(REDIS_URL, (redis) =>
      redis.keys(`${REDIS_KEY_PREFIX}:*${job.id.slice(4)}*`),
    );
    expect(left.filter((key) => key.includes(':evt:') || key.includes(':dlvs:'))).toEqual([]);
  });
});
