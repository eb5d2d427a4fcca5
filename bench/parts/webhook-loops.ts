import { randomUUID } from 'node:crypto';
import { createWebhookSecret } from '../../src/lib/crypto/webhook-secret.ts';
import { createDestinationGuard } from '../../src/outbound/webhooks/destination-guard.ts';
import { createWebhookSender } from '../../src/outbound/webhooks/sender.ts';
import { announce } from '../harness/questions.ts';

/**
 * Sends so many webhooks to SINK_URL as it is told and answers how many milliseconds that took: with global `fetch` as
 * most programs do, unsigned, or with Darkroom's sender, signed and guarded.
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
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`the sink answered ${answer.status}`);
}

async function bySender(): Promise<void> {
  const { outcome } = await sender.send({
    receiver: 'bench',
    url,
    eventId: `evt_${randomUUID()}`,
    body,
    secrets,
  });
  if (outcome !== 'delivered') throw new Error(`a webhook was not delivered: ${outcome}`);
}

const loops: Record<string, { send: () => Promise<void>; lanes: number }> = {
  'fetch, one at a time': { send: byFetch, lanes: 1 },
  'fetch, 8 at a time': { send: byFetch, lanes: 8 },
  'sender, 8 at a time': { send: bySender, lanes: 8 },
};

process.on('message', async (message) => {
  const { ask, no, value = 0 } = message as { ask: string; no: number; value?: number };
  const loop = loops[ask];
  if (!loop) return;
  let left = value;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      await loop.send();
    }
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: loop.lanes }, lane));
  process.send?.({ no, answer: performance.now() - startMs });
});
announce();
// It waits for nothing but questions.
process.channel?.ref();
