import { expect, it, onTestFinished } from 'vitest';
import { startService } from '../support/service.ts';

it.each([
  ['is refused by default', {}, 422],
  ['passes if UNKNOWN_COST is allow', { UNKNOWN_COST: 'allow' }, 200],
])('a limit for a model without a price %s', async (_what, variables, status) => {
  const service = await startService({ ALLOW_UNKNOWN_MODELS: 'true', ...variables });
  onTestFinished(service.close);
  const body = { prompt: 'A fox', model: 'model-of-tomorrow', max_cost_micro_usd: 1_000_000 };
  const response = await service.acme.post('/images?dry_run=true').send(body);
  expect(response.status).toBe(status);
  if (status === 422) expect(response.body).toMatchObject({ code: 'cost_unknown' });
});
