import { describe, expect, it } from 'vitest';
import type { Budget, BudgetOverride } from '../../../src/domain/access-policy.ts';
import { budgetExceeded, capsOf } from '../../../src/domain/budget.ts';
import { isOldWindow, windowAt, windowNamesAt } from '../../../src/domain/budget-window.ts';
import { startOfUtcDay, utcDayOf } from '../../../src/domain/utc-day.ts';

const at = (time: string) => Date.parse(`${time}Z`);
const budgetOf = (window: string, soft = false): Budget => ({ window, limitMicroUsd: 1_000, soft });
const capAt = (window: string, time: string) =>
  capsOf({ key: { budgets: [budgetOf(window)] }, tenant: {} }, 'key_1', {
    acceptedAtMs: at(time),
    nowMs: at(time),
  })[0];

describe('a window of a budget', () => {
  it.each([
    ['day', '2026-11-29T23:59:59.999', '2026-11-29', '2026-11-30'],
    ['week', '2026-11-29T23:59:59.999', '2026-11-23', '2026-11-30'],
    ['week', '2026-11-30T00:00:00', '2026-11-30', '2026-12-07'],
    ['month', '2026-12-31T12:00:00', '2026-12-01', '2027-01-01'],
    ['month', '2028-02-29T12:00:00', '2028-02-01', '2028-03-01'],
  ])('of a %s at %s begins on %s and ends before %s in UTC', (window, time, first, next) => {
    const cap = capAt(window, time);
    expect(cap?.windowName).toBe(`${window[0]}${utcDayOf(at(`${first}T00:00:00`))}`);
    expect(cap?.resetsAtMs).toBe(at(`${next}T00:00:00`));
    expect(windowNamesAt(at(time))).toContain(cap?.windowName);
  });

  it('without an end has no reset', () => {
    expect(capAt('total', '2026-11-29T00:00:00')).toMatchObject({
      name: 'key_total',
      windowName: 'total',
      resetsAtMs: null,
    });
  });

  it('of a newer release is no cap', () => {
    expect(capAt('decade', '2026-11-29T00:00:00')).toBeUndefined();
  });
});

describe('the counters of a window', () => {
  const timeMs = at('2026-11-29T12:00:00');

  it.each([
    ['day', 40],
    ['week', 21],
    ['month', 93],
  ] as const)('of a %s are old when its first day is more than %i days ago', (window, days) => {
    const { windowName } = windowAt(window, timeMs);
    const first = Number(windowName.slice(1));
    expect(isOldWindow(windowName, startOfUtcDay(first + days + 1) - 1)).toBe(false);
    expect(isOldWindow(windowName, startOfUtcDay(first + days + 1))).toBe(true);
  });

  it('are never old if it has no end or if a newer release counts by it', () => {
    const farMs = at('2999-01-01T00:00:00');
    expect(['total', 'q20000', 'd20000x'].map((name) => isOldWindow(name, farMs))).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe('the caps of a caller', () => {
  const nowMs = at('2026-11-29T12:00:00');
  const limitsOf = (overrides: BudgetOverride[]) =>
    capsOf(
      {
        key: { budgets: [budgetOf('day'), budgetOf('month', true)], overrides },
        tenant: { budgets: [budgetOf('day')] },
      },
      'key_1',
      { acceptedAtMs: nowMs, nowMs },
    ).map(({ name, limitMicroUsd }) => [name, limitMicroUsd]);

  it('are those of the key, then those of the tenant, each with a name of its own', () => {
    expect(limitsOf([])).toEqual([
      ['key_day', 1_000],
      ['key_month_soft', 1_000],
      ['tenant_day', 1_000],
    ]);
  });

  it('are raised by overrides of their owner until the time of the override', () => {
    const untilMs = nowMs + 1;
    expect(limitsOf([{ amountMicroUsd: 500, untilMs }]).map(([, limit]) => limit)).toEqual([
      1_500, 1_500, 1_000,
    ]);
    expect(limitsOf([{ amountMicroUsd: 500, untilMs, window: 'day' }])[1]).toEqual(['key_month_soft', 1_000]);
    expect(limitsOf([{ amountMicroUsd: 500, untilMs: nowMs }])[0]).toEqual(['key_day', 1_000]);
  });
});

describe('the refusal by a budget', () => {
  it('names the cap, its figures, its reset and the estimate', () => {
    const cap = capAt('week', '2026-11-29T12:00:00');
    if (!cap) throw new Error('no cap');
    const error = budgetExceeded({ cap, heldMicroUsd: 300, spentMicroUsd: 600 }, 200);
    expect(error.message).toBe(
      'The request may cost up to 200 micro-USD, and the budget of the week of the API key has 100 micro-USD left.',
    );
    expect(error.members).toEqual({
      budget: {
        name: 'key_week',
        window: 'week',
        limit_micro_usd: 1_000,
        spent_micro_usd: 600,
        held_micro_usd: 300,
        resets_at: '2026-11-30T00:00:00.000Z',
      },
      estimate_micro_usd: 200,
    });
  });
});
