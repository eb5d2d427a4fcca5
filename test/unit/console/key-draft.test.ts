import { describe, expect, it } from 'vitest';
import { parseUsd } from '../../../console/src/format/parse-usd.ts';
import { formatRelative } from '../../../console/src/format/relative.ts';
import {
  bodyOf,
  changesOf,
  dollarsOf,
  draftOf,
  newDraft,
  tightestOf,
} from '../../../console/src/screens/keys/key-draft.ts';

const nowMs = Date.parse('2026-11-29T12:00:00Z');
const budget = (limit: number, used: { spent?: number; held?: number; soft?: boolean } = {}) => ({
  soft: used.soft ?? false,
  limit_micro_usd: limit,
  spent_micro_usd: used.spent ?? 0,
  held_micro_usd: used.held ?? 0,
});

describe('amounts that a user types', () => {
  it.each([
    ['20', 20_000_000],
    ['$0.50', 500_000],
    ['1,000.25', 1_000_250_000],
    ['0.000001', 1],
    ['0', 0],
  ])('%s becomes exact micro-USD', (text, microUsd) => {
    expect(parseUsd(text)).toBe(microUsd);
  });

  it.each(['', '-1', '1e3', '0.0000001', 'ten', '1.2.3', 'Infinity', '0,50', '1,5', '0,005', '1,00,0'])(
    '%j is no amount',
    (text) => {
      expect(parseUsd(text)).toBeNull();
    },
  );

  it.each([0, 1, 500_000, 20_000_000, 1_234_567])('%i micro-USD survive a round trip', (microUsd) => {
    expect(parseUsd(dollarsOf(microUsd))).toBe(microUsd);
  });
});

describe('the form of a key', () => {
  it('becomes the body of a request, in which empty fields set nothing', () => {
    const draft = {
      ...newDraft,
      name: ' reader ',
      budgets: [{ window: 'day', dollars: '20', soft: false }],
    } as const;
    expect(bodyOf(draft, nowMs)).toEqual({
      body: {
        name: 'reader',
        scopes: ['images:read', 'images:write'],
        expires_at: null,
        limits: { requests_per_minute: null, concurrent_jobs: null, queued_jobs: null },
        budgets: [{ window: 'day', limit_micro_usd: 20_000_000, soft: false }],
        models: null,
        presets_only: false,
      },
    });
  });

  it('names every field that is wrong', () => {
    const draft = {
      ...newDraft,
      expires: '2026-11-29T11:59',
      queuedJobs: '0',
      concurrentJobs: '1.5',
      budgets: [{ window: 'day', dollars: 'many', soft: false }],
    } as const;
    const outcome = bodyOf(draft, nowMs);
    expect('wrong' in outcome && outcome.wrong.sort()).toEqual([
      'budget0',
      'concurrentJobs',
      'expires',
      'name',
      'queuedJobs',
    ]);
  });

  it('of an existing key changes nothing if it is sent as it is', () => {
    const key = {
      name: 'shop',
      scopes: ['images:read', 'admin'],
      expires_at: '2027-01-01T00:00:00.000Z',
      limits: { requests_per_minute: 600, concurrent_jobs: null, queued_jobs: 100_000 },
      budgets: [{ window: 'month', limit_micro_usd: 200_500_000, soft: true }],
      models: ['gpt-image-2'],
      presets_only: true,
    };
    const outcome = bodyOf(draftOf(key as unknown as Parameters<typeof draftOf>[0]), nowMs);
    expect('body' in outcome && outcome.body).toEqual({ ...key, expires_at: '2027-01-01T00:00:00Z' });
  });

  it('of an existing key sends only what the user changed, so that an exact expiry is not shortened', () => {
    const key = {
      name: 'shop',
      tenant: 'acme',
      scopes: ['admin', 'other'],
      expires_at: '2026-11-29T11:00:59.999Z',
      limits: { requests_per_minute: null, concurrent_jobs: null, queued_jobs: null },
      budgets: [],
      models: null,
      presets_only: false,
    } as unknown as Parameters<typeof draftOf>[0];
    const changed = (change: object) => {
      const outcome = bodyOf({ ...draftOf(key), ...change }, 0);
      return 'body' in outcome && changesOf(outcome.body, key);
    };
    expect(changed({})).toEqual({});
    expect(changed({ name: 'new' })).toEqual({ name: 'new' });
    expect(changed({ expires: '' })).toEqual({ expires_at: null });
  });
});

describe('the tightest budget', () => {
  it('is the one that is used up most, by spent and held amounts together', () => {
    const half = budget(100, { spent: 30, held: 20 });
    expect(tightestOf([budget(1_000, { spent: 100 }), half, budget(50)])).toBe(half);
  });

  it('is a hard one if there is any, and null without budgets', () => {
    const hard = budget(100);
    expect(tightestOf([budget(100, { spent: 100, soft: true }), hard])).toBe(hard);
    expect(tightestOf([])).toBeNull();
  });
});

describe('a relative time', () => {
  it('is rounded toward the present in the largest unit that fits', () => {
    expect(formatRelative('2026-11-29T11:58:01Z', nowMs, 'en')).toBe('1 min. ago');
    expect(formatRelative('2026-11-30T00:00:00Z', nowMs, 'en')).toBe('in 12 hr.');
    expect(formatRelative('2026-11-29T12:00:00Z', nowMs, 'en')).toBe('now');
  });
});
