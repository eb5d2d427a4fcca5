import { createServer, type Server } from 'node:http';
import { request } from 'undici';

const jobs = [
  { prompt: 'Mountains at sunset above a still lake, gouache', n: 2, size: '1536x1024', quality: 'high' },
  { prompt: 'A friendly fox with a red scarf', preset: 'avatar', metadata: { campaign: 'spring' } },
  { prompt: 'A boat on a calm sea at night', size: '1024x1536' },
  { prompt: 'A bouquet of roses in a glass vase', metadata: { campaign: 'spring' } },
  { prompt: 'A portrait that the provider refuses [studio:moderation]' },
  { prompt: 'A young wizard with a lantern', preset: 'game-character' },
  {
    prompt: 'City street in violet neon',
    size: '1536x1024',
    quality: 'low',
    model: 'gpt-image-2.6-sunburst',
  },
  { prompt: '月光下山丘上的城堡，水彩画', size: '1536x1024' },
];

const budgets = [
  { name: 'shop', budgets: [{ window: 'day', limit_micro_usd: 500_000 }] },
  { name: 'mobile app', budgets: [{ window: 'month', limit_micro_usd: 20_000_000, soft: true }] },
  { name: 'nightly batch', budgets: [{ window: 'total', limit_micro_usd: 5_000_000 }] },
];

/** A program that receives webhooks: it accepts those of one path, and has a fault in the other. */
export function startReceiver(port: number): Server {
  return createServer((incoming, response) => {
    incoming.resume();
    const isBroken = incoming.url === '/broken';
    response.writeHead(isBroken ? 500 : 200, { 'content-type': 'text/plain' });
    response.end(isBroken ? 'TypeError: images is undefined' : 'ok');
  }).listen(port, '127.0.0.1');
}

/**
 * Creates jobs of several keys with budgets, and webhook endpoints at a receiver. Returns the id of a finished job with two
 * images, of which one was varied.
 */
export async function sampleData(url: string, apiKey: string, receiver: string): Promise<string> {
  const call = async (path: string, body: unknown, key = apiKey) => {
    const response = await request(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', prefer: 'wait=50' },
      body: JSON.stringify(body),
    });
    return (await response.body.json()) as { id: string; key: string };
  };
  await call('/webhooks/endpoints', { url: `${receiver}/images`, description: 'Shop' });
  await call('/webhooks/endpoints', { url: `${receiver}/broken`, events: ['image.failed'] });
  const keys: string[] = [];
  for (const each of budgets) {
    keys.push((await call('/keys', { ...each, scopes: ['images:write', 'images:read'] })).key);
  }
  const ids: string[] = [];
  for (const [i, body] of jobs.entries()) ids.push((await call('/images', body, keys[i % keys.length])).id);
  const [first = ''] = ids;
  await call(`/images/${first}/variations`, { index: 1 });
  return first;
}
