import { expect, it } from 'vitest';
import { summary } from '../../../../src/inbound/cli/generate.ts';
import { imageJobExample } from '../../../../src/inbound/http/examples.ts';

it('generate says that nothing is charged for offline images', () => {
  const line = summary({ ...imageJobExample, livemode: false });
  expect(line).toMatch(/succeeded, cost \d\.\d+ USD, simulated, nothing charged$/);
});

it('generate prints the billing of real images', () => {
  expect(summary({ ...imageJobExample, livemode: true })).toMatch(/billing charged$/);
});
