/** Sends one webhook and prints the result as JSON. Every name resolves to 127.0.0.1. Arguments: the URL and the secret. */
import { createDestinationGuard } from '../../src/outbound/webhooks/destination-guard.ts';
import { createWebhookSender } from '../../src/outbound/webhooks/sender.ts';

const [url = '', secret = ''] = process.argv.slice(2);
const sender = createWebhookSender({
  guard: createDestinationGuard({ allowPrivate: true, requireHttps: true }),
  clock: Date.now,
  userAgent: 'Darkroom/test',
  resolve: async () => [{ address: '127.0.0.1', family: 4 }],
});
const response = await sender.send({
  destination: 'acme',
  url,
  eventId: 'evt_1',
  body: '{}',
  secrets: [secret],
});
await sender.close();
console.log(JSON.stringify(response));
