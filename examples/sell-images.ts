/**
 * Gives a customer an API key with a monthly budget, and replaces the text of the key later. For a reseller: the key of the
 * reseller has the scope `admin` or is ADMIN_KEY.
 *
 *   DARKROOM_API_KEY=... node --import tsx examples/sell-images.ts CUSTOMER [USD_PER_MONTH]
 */

const { DARKROOM_URL = 'http://localhost:8080', DARKROOM_API_KEY = '' } = process.env;
const [customer = '', usdPerMonth = '20'] = process.argv.slice(2);

interface Key {
  readonly id: string;
  /** Only in the responses of the creation and of a rotation. */
  readonly key?: string;
}

/** Calls the API with a JSON body. Returns the response, or throws the problem. */
async function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Key> {
  const response = await fetch(DARKROOM_URL + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${DARKROOM_API_KEY}`,
      'content-type': 'application/json',
      ...headers,
    },
    body: JSON.stringify(body),
  });
  const result = (await response.json()) as Key & { code?: string; detail?: string };
  if (!response.ok) throw new Error(`${result.code}: ${result.detail}`);
  return result;
}

const request = {
  name: `customer ${customer}`,
  scopes: ['images:write', 'images:read'],
  limits: { requests_per_minute: 120, concurrent_jobs: 4, queued_jobs: 200 },
  budgets: [{ window: 'month', limit_micro_usd: Math.round(Number(usdPerMonth) * 1_000_000) }],
  metadata: { customer },
};
// A repeated run with the same Idempotency-Key creates no second key.
const created = await post('/keys', request, { 'idempotency-key': `customer-${customer}` });
// Only the first response contains the text. If it was lost, a rotation without a grace period gives a new text.
const { key } = created.key ? created : await post(`/keys/${created.id}/rotate`, { grace_s: 0 });
console.log(`${created.id} ${key}`);
