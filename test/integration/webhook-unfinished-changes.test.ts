import { expect, it } from 'vitest';
import { disable } from '../../src/domain/webhook-endpoint.ts';
import { connectWebhooks, endpointServerOf, type Webhooks } from '../support/webhook-core.ts';

type Change = (webhooks: Webhooks, id: string) => Promise<unknown>;

const changes: [string, Change, string][] = [
  ['deletes', ({ endpoints }, id) => endpoints.remove('acme', id), 'endpoint_removed'],
  [
    'disables',
    ({ endpoints, clock }, id) =>
      endpoints.update({ tenant: 'acme', id }, (now) => disable(now, 'requested', { nowMs: clock() })),
    'endpoint_disabled',
  ],
];

it.each(changes)(
  'makes the pending deliveries of an endpoint end although the process that %s it dies at once',
  async (_verb, change, outcome) => {
    const webhooks = await connectWebhooks();
    const destination = await endpointServerOf(500);
    const endpoint = await webhooks.register({ url: destination.url, events: ['image.queued'] });
    await webhooks.emit();
    await webhooks.dispatch();
    const overdue = async () => {
      const page = { beforeMs: webhooks.clock(), limit: 10 };
      return (await webhooks.deliveryQueues.overdue('acme', page)).dispatchTasks;
    };
    // The next attempt is minutes away.
    await webhooks.emptyAll(endpoint.id);
    webhooks.passTime(60_000);
    await webhooks.emptyAll(endpoint.id);
    webhooks.passTime(60_000);
    expect(await overdue()).toEqual([]);

    await change(webhooks, endpoint.id);

    expect(await overdue()).toMatchObject([{ destinationKey: endpoint.id }]);
    await webhooks.emptyAll(endpoint.id);
    expect(await webhooks.deliveriesTo(endpoint.id)).toMatchObject([{ status: 'failed', outcome }]);
    expect(await overdue()).toEqual([]);
  },
);
