import { describe, expect, it } from 'vitest';
import type { BilledEntry, BillScope, BookedCall } from '../../../src/domain/bill.ts';
import { reconcile } from '../../../src/domain/reconcile.ts';
import {
  billedDay,
  billedRow,
  billedSum,
  bookedCall,
  dayMs,
  hourMs,
  knownSum,
  lostCall,
  wholeScope,
} from '../../support/bills.ts';

/** Returns the possible charges by call: the amount that settles them, or the reason why they stay unknown. */
function outcomes(
  rows: readonly BilledEntry[],
  calls: readonly BookedCall[],
  scope: Partial<BillScope> = {},
) {
  const { settles, unknown } = reconcile(rows, calls, { ...wholeScope, ...scope });
  return Object.fromEntries([
    ...settles.map(({ call, microUsd }) => [call.id, microUsd]),
    ...unknown.map(({ call, reason }) => [call.id, reason]),
  ]);
}

const known = [1, 2, 3].map((no) => bookedCall(no));
const lost = lostCall(9);
const mini = { model: 'gpt-image-1-mini' };
const flare = { model: 'gpt-image-2.6-flare' };
const endOfDay = billedDay + dayMs;

/** Forms of a bill of one day, made from the calls that it has. Each form is a complete bill of these calls. */
const forms: Record<string, (calls: readonly BookedCall[]) => BilledEntry[]> = {
  'rows of calls': (calls) => calls.map((call, i) => billedRow(call, i + 2)),
  'rows of calls without models': (calls) => calls.map((call, i) => billedRow(call, i + 2, { model: null })),
  'a sum of the day': (calls) => [billedSum(0, null, knownSum(calls))],
  'sums of the day and model': (calls) =>
    [...new Set(calls.map(({ model }) => model))].map((model) =>
      billedSum(0, model, knownSum(calls.filter((call) => call.model === model))),
    ),
};

describe.each(Object.entries(forms))(
  'a possible charge that a bill with %s does not have',
  (_name, billOf) => {
    it('is settled as free if the bill has every known charge of a day that is over', () => {
      expect(outcomes(billOf(known), [...known, lost])).toEqual({ 'img_9.1': 0 });
    });

    it('stays unknown if the bill lacks a known charge', () => {
      const result = reconcile(billOf(known.slice(1)), [...known, lost], wholeScope);
      expect(result.settles).toEqual([]);
      expect(result.unknown).toEqual([{ call: lost, reason: 'inconclusive' }]);
      expect(result.findings.map(({ kind }) => kind)).toEqual(['not_billed']);
    });

    it('stays unknown if the bill was exported before the day was over', () => {
      const scope = { asOfMs: endOfDay - 1 };
      expect(outcomes(billOf(known), [...known, lost], scope)).toEqual({ 'img_9.1': 'day_not_over' });
    });

    it('stays unknown if its call or its job is in flight', () => {
      const running = lostCall(9, { isInFlight: true });
      expect(outcomes(billOf(known), [...known, running])).toEqual({ 'img_9.1': 'in_flight' });
    });

    it('stays unknown if the ledger was read for a part of the day only', () => {
      const scope = { fromMs: billedDay + 60_000 };
      expect(outcomes(billOf(known), [...known, lost], scope)).toEqual({ 'img_9.1': 'inconclusive' });
    });

    it('stays unknown on a day of which the bill has nothing', () => {
      const other = lostCall(9, { atMs: billedDay + dayMs + 5 * hourMs });
      expect(outcomes(billOf(known), [...known, other])).toEqual({ 'img_9.1': 'inconclusive' });
    });

    it('stays unknown before midnight, because the bill lacks the next day', () => {
      const late = lostCall(9, { atMs: endOfDay - 60_000 });
      expect(outcomes(billOf(known), [...known, late])).toEqual({ 'img_9.1': 'inconclusive' });
    });

    it('stays unknown if a model without a sum may have been billed as another one', () => {
      const foreign = bookedCall(9, { requestId: 'req_unseen', microUsd: 6_000, ...flare });
      const result = outcomes(billOf([...known, foreign]), [...known, lostCall(9, mini)]);
      expect(result['img_9.1']).not.toBe(0);
    });
  },
);

describe.each([
  ['rows of calls', forms['rows of calls']],
  ['sums of the day and model', forms['sums of the day and model']],
])('a bill with %s that names models', (_name, billOf = () => []) => {
  const others = [4, 5].map((no) => bookedCall(no, flare));

  it('settles a charge as free if only another model is incomplete', () => {
    expect(outcomes(billOf([...known, ...others.slice(1)]), [...known, ...others, lost])).toEqual({
      'img_9.1': 0,
    });
  });

  it('settles a charge of a model that it does not have only if the whole day is complete', () => {
    const rare = lostCall(9, mini);
    expect(outcomes(billOf(known), [...known, rare])).toEqual({ 'img_9.1': 0 });
    expect(outcomes(billOf(known.slice(1)), [...known, rare])).toEqual({ 'img_9.1': 'inconclusive' });
  });
});

describe('a bill with rows of calls', () => {
  const rows = known.map((call, i) => billedRow(call, i + 2));
  const rowOfLost = billedRow(lost, 9, { requestId: 'req_unseen', microUsd: 5_801 });

  it('settles a charge before midnight as free if it has both days', () => {
    const late = lostCall(9, { atMs: endOfDay - 60_000 });
    const next = bookedCall(8, { atMs: endOfDay + 5_000 });
    const calls = [...known, late, next];
    expect(outcomes([...rows, billedRow(next, 8)], calls)).toEqual({ 'img_9.1': 0 });
  });

  it('explains the charge that it settled when it is compared again', () => {
    const bill = [...rows, rowOfLost];
    expect(outcomes(bill, [...known, lost])).toEqual({ 'img_9.1': 5_801 });
    const settled = { ...lost, microUsd: 5_801, maxMicroUsd: null };
    const again = reconcile(bill.toReversed(), [...known, settled], wholeScope);
    expect(again).toMatchObject({ findings: [], settles: [], unknown: [] });
    expect(again.explainedMicroUsd).toBe(again.billedMicroUsd);
  });

  it('gives a new row to an open call, and the row of a settled call to that call', () => {
    const settled = lostCall(9, { microUsd: 5_801, maxMicroUsd: null });
    const bill = [...rows, rowOfLost, { ...rowOfLost, row: 10, requestId: 'req_unseen_2' }];
    const open = lostCall(10);
    expect(outcomes(bill, [...known, settled, open])).toEqual({ 'img_10.1': 5_801 });
    expect(reconcile(bill, [...known, settled, open], wholeScope).findings).toEqual([]);
  });

  it('gives each call the nearest row, in any order of the rows', () => {
    const bill = [9, 12].map((no) =>
      billedRow(lostCall(no), no, { requestId: `req_unseen_${no}`, microUsd: 5_800 + no }),
    );
    const calls = [...known, lost, lostCall(12)];
    const expected = { 'img_9.1': 5_809, 'img_12.1': 5_812 };
    expect(outcomes([...rows, ...bill], calls)).toEqual(expected);
    expect(outcomes([...rows, ...bill].toReversed(), calls)).toEqual(expected);
  });

  it('does not settle a running call that it has, and shows no difference', () => {
    const running = lostCall(9, { isInFlight: true });
    const result = reconcile([...rows, rowOfLost], [...known, running], wholeScope);
    expect(result).toMatchObject({ findings: [], settles: [], unknown: [{ reason: 'in_flight' }] });
    expect(result.explainedMicroUsd).toBe(result.billedMicroUsd);
  });

  it('does not settle a charge as free if a row without a time may be its charge', () => {
    const row = billedRow(lost, 9, { requestId: 'req_unseen', microUsd: 5_801, atMs: null });
    expect(outcomes([...rows, row], [...known, lost])).toEqual({ 'img_9.1': 'inconclusive' });
  });

  it('settles a charge by the row of its request also on a day that is not over', () => {
    const named = lostCall(9, { requestId: 'req_9' });
    const row = billedRow(named, 9, { microUsd: 5_801 });
    expect(outcomes([row], [...known, named], { asOfMs: billedDay + hourMs })).toEqual({ 'img_9.1': 5_801 });
  });
});

describe('a bill with several rows of one request', () => {
  const named = lostCall(9, { requestId: 'req_9' });
  const rowsOf = (...amounts: number[]) =>
    amounts.map((microUsd, i) => billedRow(named, i + 9, { microUsd }));

  it('settles no charge if their amounts differ, because the charge may be any of them or their sum', () => {
    const result = reconcile([...rowsOf(0, 5_801)], [named], wholeScope);
    expect(result).toMatchObject({ settles: [], unknown: [{ call: named, reason: 'inconclusive' }] });
    expect(result.findings.map(({ kind, row }) => [kind, row])).toEqual([['double_charge', 10]]);
  });

  it('settles a charge that was billed twice by one of two equal amounts', () => {
    expect(outcomes(rowsOf(5_801, 5_801), [named])).toEqual({ 'img_9.1': 5_801 });
  });
});

describe('a bill with sums', () => {
  const total = knownSum(known);

  it('settles no charge by the surplus of a day that is not over', () => {
    const bill = [billedSum(0, null, total + 5_801)];
    expect(outcomes(bill, [...known, lost])).toEqual({ 'img_9.1': 5_801 });
    expect(outcomes(bill, [...known, lost], { asOfMs: endOfDay - 1 })).toEqual({ 'img_9.1': 'day_not_over' });
  });

  it('explains the charge that it settled when it is compared again', () => {
    const settled = { ...lost, microUsd: 5_801, maxMicroUsd: null };
    expect(reconcile([billedSum(0, null, total + 5_801)], [...known, settled], wholeScope)).toMatchObject({
      findings: [],
      settles: [],
      unknown: [],
    });
  });

  it('leaves several charges unknown if they share a surplus', () => {
    const bill = [billedSum(0, null, total + 5_801)];
    expect(outcomes(bill, [...known, lost, lostCall(10)])).toEqual({
      'img_9.1': 'inconclusive',
      'img_10.1': 'inconclusive',
    });
  });

  it('settles no charge by a surplus that may be the charge of another model', () => {
    const other = bookedCall(10, { ...flare, microUsd: 5_801 });
    const bill = [billedSum(0, 'gpt-image-2', total + 5_801)];
    expect(outcomes(bill, [...known, other, lost])).toEqual({ 'img_9.1': 'inconclusive' });
  });

  it('settles no running call by a surplus', () => {
    const bill = [billedSum(0, null, total + 5_801)];
    const running = lostCall(9, { isInFlight: true });
    expect(outcomes(bill, [...known, running])).toEqual({ 'img_9.1': 'in_flight' });
  });

  it('leaves a charge unknown if a rounded sum could hide it', () => {
    const bill = [billedSum(0, null, Math.ceil(total / 10_000) * 10_000)];
    expect(outcomes(bill, [...known, lostCall(9, { maxMicroUsd: 100 })])).toEqual({
      'img_9.1': 'inconclusive',
    });
  });

  it('leaves a charge unknown if it could be hidden by the rounding of many calls', () => {
    const many = Array.from({ length: 5_000 }, (_, no) => bookedCall(no, { atMs: billedDay, microUsd: 9 }));
    expect(outcomes([billedSum(0, null, knownSum(many))], [...many, lost])).toEqual({
      'img_9.1': 'inconclusive',
    });
  });

  it('leaves a charge before midnight unknown if the next day has a surplus that may be the charge', () => {
    const late = lostCall(9, { atMs: endOfDay - 60_000 });
    const next = bookedCall(8, { atMs: endOfDay + 2 * hourMs });
    const bill = (surplus: number) => [
      billedSum(0, null, total),
      billedSum(1, null, knownSum([next]) + surplus),
    ];
    expect(outcomes(bill(5_801), [...known, late, next])).toEqual({ 'img_9.1': 'inconclusive' });
    expect(outcomes(bill(0), [...known, late, next])).toEqual({ 'img_9.1': 0 });
  });
});
