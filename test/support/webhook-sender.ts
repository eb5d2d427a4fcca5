import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { createDestinationGuard } from '../../src/outbound/webhooks/destination-guard.ts';
import { createWebhookSender, type WebhookSenderOptions } from '../../src/outbound/webhooks/sender.ts';
import { startEndpointServer, startRawEndpointServer } from './webhook-endpoints.ts';

/** A secret for deliveries whose signature does not matter. */
export const someSecret = `whsec_${randomBytes(32).toString('base64')}`;

type Send = ReturnType<typeof createWebhookSender>['send'];

/** Creates the real sender, to which loopback is allowed by default. It is closed when the test ends. */
export function startSender(options: Partial<WebhookSenderOptions> = {}) {
  const sender = createWebhookSender({
    guard: createDestinationGuard({ allowPrivate: true, requireHttps: true }),
    clock: Date.now,
    userAgent: 'Darkroom/1.2.3',
    timeoutMs: 10_000,
    ...options,
  });
  onTestFinished(sender.close);
  const send = (url: string, rest: Partial<Parameters<Send>[0]> = {}) =>
    sender.send({ destination: 'acme', url, eventId: 'evt_1', body: '{}', secrets: [someSecret], ...rest });
  return { send, close: sender.close };
}

/** Starts an HTTP endpoint on loopback that is closed when the test ends. */
export async function startEndpoint(...given: Parameters<typeof startEndpointServer>) {
  const endpoint = await startEndpointServer(...given);
  onTestFinished(endpoint.close);
  return { ...endpoint, url: `http://127.0.0.1:${endpoint.port}/hook?a=1` };
}

/** Starts a TCP endpoint on loopback that is closed when the test ends. */
export async function startRawEndpoint(...given: Parameters<typeof startRawEndpointServer>) {
  const endpoint = await startRawEndpointServer(...given);
  onTestFinished(endpoint.close);
  return { ...endpoint, url: `http://127.0.0.1:${endpoint.port}/` };
}
