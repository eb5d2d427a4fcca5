import { expect, it } from 'vitest';
import type { Job } from '../../../../clients/typescript/src/index.ts';
import { rowOf, summary } from '../../../../src/inbound/cli/describe-job.ts';
import { imageJobExample } from '../../../../src/inbound/http/examples.ts';

it('prints that offline images are not charged', () => {
  const line = summary({ ...imageJobExample, livemode: false });
  expect(line).toMatch(/succeeded, cost \d\.\d+ USD, simulated, nothing charged$/);
});

it('prints the billing of real images', () => {
  expect(summary({ ...imageJobExample, livemode: true })).toMatch(/billing charged$/);
});

it('marks the upper bound of a running job, so that it is not read as its cost', () => {
  const { cost } = imageJobExample;
  const running = { ...imageJobExample, cost: { ...cost, micro_usd: 210_800, estimated: true } };
  expect(rowOf(running as unknown as Job)[4]).toBe('<= 0.210800');
  expect(summary({ ...running, livemode: true })).toContain('cost <= 0.210800 USD, ');
  const unpriced = { ...running, cost: { ...running.cost, micro_usd: null } };
  expect(rowOf(unpriced as unknown as Job)[4]).toBe('unknown');
});
