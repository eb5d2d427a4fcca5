import { expect, it, onTestFinished } from 'vitest';
import { createCaller } from '../support/caller.ts';
import { startService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

it.each([
  ['gif', { frame_count: 2 }],
  ['svg', { svg: { model: 'gpt-5.4' } }],
])(
  'a request for %s is refused with that cause if a hard budget or a limit applies',
  async (format, fields) => {
    const service = await startService();
    onTestFinished(service.close);
    const operator = createCaller(service.url, testKeys.admin);
    const budgets = [{ window: 'month', limit_micro_usd: 1_000_000 }];
    const key = await operator.post('/keys').send({ tenant: 'animated', budgets }).expect(201);
    const caller = createCaller(service.url, key.body.key);
    const body = { prompt: 'A fox', output_format: format, ...fields };
    const limited = { ...body, max_cost_micro_usd: 1_000_000 };
    for (const [sender, sent, pointer] of [
      [caller, body, '/output_format'],
      [service.acme, limited, '/max_cost_micro_usd'],
    ] as const) {
      const response = await sender.post('/images').send(sent).expect(422);
      expect(response.body).toMatchObject({ code: 'cost_unknown', errors: [{ pointer }] });
      expect(response.body.detail).toMatch(
        new RegExp(`output_format ${format} .* Request png, jpeg or webp`),
      );
    }
  },
);

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
