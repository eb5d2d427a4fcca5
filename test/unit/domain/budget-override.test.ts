import { expect, it } from 'vitest';
import { ApiKeyRecord } from '../../../src/domain/api-key.ts';
import { AuditEntry } from '../../../src/domain/audit.ts';
import { viewAuditEntry } from '../../../src/domain/audit-view.ts';
import { endStaleOverrides, viewOverrides, withOverride } from '../../../src/domain/budget-override.ts';
import { apiKeyOf } from '../../support/api-keys.ts';

const newer = { amountMicroUsd: 5, untilMs: 2_000, window: 'quarter', reason: 'fair' };
const added = { amountMicroUsd: 7, untilMs: 3_000 };

it('a record and its later overrides preserve the fields of an override of a newer release', () => {
  const stored = ApiKeyRecord.parse({ ...apiKeyOf('key_newer'), overrides: [newer] });
  const next = { ...stored, overrides: withOverride(stored.overrides, added, 1_000) ?? [], name: 'changed' };
  expect(endStaleOverrides(stored, next).overrides).toEqual([newer, added]);
  expect(viewOverrides(next, 1_000).map(({ window }) => window)).toEqual(['other', null]);
});

it('an override that has ended is neither shown nor stored with the next one', () => {
  expect(viewOverrides({ overrides: [newer] }, 2_000)).toEqual([]);
  expect(withOverride([newer], added, 2_000)).toEqual([added]);
});

it('an audit entry of an earlier release, which has no amount, stays readable', () => {
  const entry = AuditEntry.parse({ at: 1, action: 'budget.overridden', target: 'key_1' });
  expect(viewAuditEntry('acme', '1-0', entry)).toMatchObject({
    action: 'budget.overridden',
    budget_override: null,
  });
});
