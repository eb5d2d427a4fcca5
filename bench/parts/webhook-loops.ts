import { randomUUID } from 'node:crypto';
import { createWebhookSecret } from '../../src/lib/crypto/webhook-secret.ts';
import { createDestinationGuard } from '../../src/outbound/webhooks/destination-guard.ts';
import { createWebhookSender } from '../../src/outbound/webhooks/sender.ts';
import { reportReady } from '../harness/queries.ts';

/**
 * Sends the requested number of webhooks to SINK_URL and returns the duration in milliseconds. One loop uses global
 * `fetch`, unsigned, as most programs do. The other uses the sender of Darkroom, signed and guarded.
 */
const url = process.env.SINK_URL ?? '';
const body = JSON.stringify({
  type: 'image.succeeded',
  timestamp: new Date(0).toISOString(),
  data: 'x'.repeat(1_900),
});
const secrets = [createWebhookSecret()];
const sender = createWebhookSender({
  guard: createDestinationGuard({ allowPrivate: true, requireHttps: false }),
  clock: Date.now,
  userAgent: 'Darkroom/bench',
});

async function byFetch(): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`the sink responded with ${response.status}`);
}

async function bySender(): Promise<void> {
  const { outcome } = await sender.send({
    destination: 'bench',
    url,
    eventId: `evt_${randomUUID()}`,
    body,
    secrets,
  });
  if (outcome !== 'delivered') throw new Error(`a webhook was not delivered: ${outcome}`);
}

const loops: Record<string, { send: () => Promise<void>; scopes: number }> = {
  'fetch, one at a time': { send: byFetch, scopes: 1 },
  'fetch, 8 at a time': { send: byFetch, scopes: 8 },
  'sender, 8 at a time': { send: bySender, scopes: 8 },
};

process.on('message', async (message) => {
  const { name, no, value = 0 } = message as { name: string; no: number; value?: number };
  const loop = loops[name];
  if (!loop) return;
  let left = value;
  const scope = async () => {
    while (left > 0) {
      left -= 1;
      await loop.send();
    }
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: loop.scopes }, scope));
  process.send?.({ no, response: performance.now() - startMs });
});
reportReady();
// The process only waits for queries.
process.channel?.ref();
