import { request } from 'undici';

const jobs = [
  { prompt: 'Mountains at sunset above a still lake, gouache', n: 2, size: '1536x1024', quality: 'high' },
  { prompt: 'A friendly fox with a red scarf', preset: 'avatar', metadata: { campaign: 'spring' } },
  { prompt: 'A boat on a calm sea at night', size: '1024x1536' },
  { prompt: 'A bouquet of roses in a glass vase', metadata: { campaign: 'spring' } },
  { prompt: 'A young wizard with a lantern', preset: 'game-character' },
  { prompt: 'City street in violet neon', size: '1536x1024', quality: 'low' },
];

/** Creates jobs, a key with a budget and a webhook endpoint, and returns the id of a finished job with two images. */
export async function sampleData(url: string, apiKey: string): Promise<string> {
  const call = async (path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await request(`${url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await response.body.json()) as { id: string };
  };
  await call('/webhooks/endpoints', { url: 'https://app.example.com/images' });
  await call('/keys', {
    name: 'shop',
    scopes: ['images:write', 'images:read'],
    budgets: [{ window: 'day', limit_micro_usd: 20_000_000 }],
  });
  const ids: string[] = [];
  for (const body of jobs) ids.push((await call('/images', body, { prefer: 'wait=50' })).id);
  return ids[0] ?? '';
}
