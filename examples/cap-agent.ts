/**
 * Gives an agent a key that can spend one dollar, once, in the next hour. Then acts as the agent until the budget is used up.
 *
 *   DARKROOM_API_KEY=... node --import tsx examples/cap-agent.ts [USD]
 */

const { DARKROOM_URL = 'http://localhost:8080', DARKROOM_API_KEY = '' } = process.env;
const [usd = '1'] = process.argv.slice(2);

/** The members of responses that this program uses. */
interface Body {
  readonly id: string;
  readonly key: string;
  readonly code: string;
  readonly detail: string;
  readonly budget: { limit_micro_usd: number; spent_micro_usd: number; held_micro_usd: number };
  readonly estimate_micro_usd: number;
}

async function post(path: string, key: string, body: object) {
  const response = await fetch(DARKROOM_URL + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Body };
}

const made = await post('/keys', DARKROOM_API_KEY, {
  name: 'agent',
  scopes: ['images:write', 'images:read'],
  expires_at: new Date(Date.now() + 3_600_000).toISOString(),
  budgets: [{ window: 'total', limit_micro_usd: Math.round(Number(usd) * 1_000_000) }],
  limits: { concurrent_jobs: 2 },
});
if (made.status !== 201) throw new Error(`${made.body.code}: ${made.body.detail}`);

for (let count = 1; ; count++) {
  const sent = await post('/images', made.body.key, {
    prompt: `Draft ${count} of a poster`,
    quality: 'high',
  });
  if (sent.status === 202) console.log(`${sent.body.id} accepted`);
  else if (sent.status !== 402) throw new Error(`${sent.body.code}: ${sent.body.detail}`);
  else {
    // The service never returns 429 for money, because clients would retry it.
    const { budget, estimate_micro_usd } = sent.body;
    const left = budget.limit_micro_usd - budget.spent_micro_usd - budget.held_micro_usd;
    console.log(`the next image may cost ${estimate_micro_usd} micro-USD, ${left} are left`);
    break;
  }
}
