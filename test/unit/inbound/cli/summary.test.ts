import { expect, it } from 'vitest';
import { summary } from '../../../../src/inbound/cli/describe-job.ts';
import { imageJobExample } from '../../../../src/inbound/http/examples.ts';

it('prints that offline images are not charged', () => {
  const line = summary({ ...imageJobExample, livemode: false });
  expect(line).toMatch(/succeeded, cost \d\.\d+ USD, simulated, nothing charged$/);
});

it('prints the billing of real images', () => {
  expect(summary({ ...imageJobExample, livemode: true })).toMatch(/billing charged$/);
});
