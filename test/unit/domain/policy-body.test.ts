import { describe, expect, it } from 'vitest';
import type { ApiKeyRecord } from '../../../src/domain/api-key.ts';
import { changedKeyFields, keyFieldsFrom } from '../../../src/domain/key-body.ts';
import { tenantFieldsFrom } from '../../../src/domain/tenant-body.ts';

/** Rules of which a newer release wrote some. */
const newer = {
  limits: { imagesPerMinute: 7 },
  budgets: [{ window: 'hour', limitMicroUsd: 5, soft: false, team: 'x' }],
};
const day = { window: 'day', limitMicroUsd: 9, soft: false };
const before = {
  limits: { concurrentJobs: 2, queuedJobs: 4, ...newer.limits },
  budgets: [day, ...newer.budgets],
};

describe.each([
  ['a key', keyFieldsFrom],
  ['a tenant', tenantFieldsFrom],
])('changed limits and budgets of %s', (_owner, fieldsFrom) => {
  it('replace those that callers can state, and leave those that only a newer release knows', () => {
    const body = {
      limits: { concurrent_jobs: 3 },
      budgets: [{ window: 'week' as const, limit_micro_usd: 1 }],
    };
    expect(fieldsFrom(body, before)).toEqual({
      limits: { concurrentJobs: 3, ...newer.limits },
      budgets: [{ window: 'week', limitMicroUsd: 1, soft: false }, ...newer.budgets],
    });
    expect(fieldsFrom({ limits: null, budgets: null }, before)).toEqual(newer);
    expect(fieldsFrom({ limits: null, budgets: [] }, { budgets: [day] })).toEqual({});
  });
});

it('a change that states the rules as they are changes no key with rules of a newer release', () => {
  const record = { ...before, version: 1, id: 'key_1', name: 'one' } as unknown as ApiKeyRecord;
  const budgets = [{ window: 'day' as const, limit_micro_usd: 9 }];
  const body = { name: 'one', limits: { concurrent_jobs: 2, queued_jobs: 4 }, budgets };
  expect(changedKeyFields(record, body)).toEqual([]);
});
