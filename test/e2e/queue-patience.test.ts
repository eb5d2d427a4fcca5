import { describe, expect, it, onTestFinished } from 'vitest';
import { readEvents } from '../support/event-stream.ts';
import { startService } from '../support/service.ts';
import { arrived } from '../support/webhook-callers.ts';
import { startReceiver } from '../support/webhook-receivers.ts';

/** A deployment in which nobody works: no task is taken up and nothing is swept. */
async function withoutWorkers() {
  const service = await startService({ ROLES: 'api' });
  onTestFinished(service.close);
  return service;
}

describe('a job that waits too long', () => {
  it('has expired for whoever waits for it, without a call, and costs nothing', async () => {
    const { acme, studio } = await withoutWorkers();
    const job = await acme.order({ prompt: 'Out of patience', queue_ttl_s: 1 });
    expect(job).toMatchObject({
      status: 'expired',
      error: { code: 'queue_timeout', billing: 'none' },
      cost: { micro_usd: 0, billing: 'none' },
    });
    expect(studio.calls).toEqual([]);
  });

  it('ends its event stream', async () => {
    const { acme, url } = await withoutWorkers();
    const { id } = await acme.submit({ prompt: 'Out of patience too', queue_ttl_s: 1 });
    const names = (await readEvents(url, id)).map((event) => event.name);
    expect(names).toEqual(['image.queued', 'image.expired']);
  });

  it('answers an order that is waited for as expired', async () => {
    const { acme } = await withoutWorkers();
    const order = { prompt: 'No patience at all', queue_ttl_s: 1 };
    const { body } = await acme.post('/images').set('prefer', 'wait=20').send(order).expect(200);
    expect(body.status).toBe('expired');
  });

  it('is told of to its receiver although nobody asks for it', async () => {
    const receiver = await startReceiver((_request, response) => void response.writeHead(204).end());
    onTestFinished(receiver.close);
    const service = await startService({ ROLES: 'api,webhooks', WEBHOOK_ALLOW_PRIVATE: 'true' });
    onTestFinished(service.close);
    const webhook = { url: `http://127.0.0.1:${receiver.port}/hook`, events: ['image.expired'] };
    const { id } = await service.acme.submit({ prompt: 'Forgotten', queue_ttl_s: 1, webhook });
    await arrived(receiver.requests, 1);
    expect(JSON.parse(receiver.requests[0]?.body ?? '')).toMatchObject({
      type: 'image.expired',
      data: { id, status: 'expired' },
    });
  });
});
