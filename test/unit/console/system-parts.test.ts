import { expect, it } from 'vitest';
import type { SystemStatus } from '../../../console/src/api/types.ts';
import { faultsOf, partNames } from '../../../console/src/screens/system/parts.ts';

const statusWith = (states: Readonly<Record<string, string>>): SystemStatus =>
  Object.fromEntries(
    partNames.map((name) => [
      name,
      { state: states[name] ?? 'ok', detail: states[name] ? `about ${name}` : null },
    ]),
  ) as unknown as SystemStatus;

it('names the worst part first, and no part that is only unknown because of another one', () => {
  const faults = faultsOf(statusWith({ queue: 'unknown', spool: 'degraded', redis: 'down' }));
  expect(faults.map(({ name, detail }) => [name, detail])).toEqual([
    ['redis', 'about redis'],
    ['spool', 'about spool'],
  ]);
  expect(faultsOf(statusWith({ workers: 'unknown' })).map(({ name }) => name)).toEqual(['workers']);
  expect(faultsOf(statusWith({}))).toEqual([]);
});
