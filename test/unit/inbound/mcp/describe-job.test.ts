import { expect, it } from 'vitest';
import { imageJobExample } from '../../../../src/inbound/http/examples.ts';
import { describeJob } from '../../../../src/inbound/mcp/describe-job.ts';

it('states an estimated cost as a bound, also that of an offline image', () => {
  const cost = { ...imageJobExample.cost, micro_usd: 210_765, estimated: true };
  const textOf = (livemode: boolean) => describeJob({ ...imageJobExample, livemode, cost });
  expect(textOf(true)).toContain('Cost: at most $0.2108 (210765 micro-USD).');
  expect(textOf(false)).toContain('Simulated for budgets: at most $0.2108 (210765 micro-USD).');
});
