import { describe, expect, it } from 'vitest';
import type { BilledCall, BilledEntry, BilledSum, BookedCall } from '../../../src/domain/bill.ts';
import { reconcile as compare } from '../../../src/domain/reconcile.ts';
import {
  billedSum as bucket,
  bookedCall as call,
  billedDay as day,
  dayMs,
  hourMs,
  billedRow as rowOf,
  knownSum as sumOf,
  wholeScope,
} from '../../support/bills.ts';

const reconcile = (entries: readonly BilledEntry[], calls: readonly BookedCall[]) =>
  compare(entries, calls, wholeScope);

const booked = Array.from({ length: 40 }, (_, i) => call(i + 1));
const correct = booked.map((each, i) => rowOf(each, i + 2));
const found = (rows: readonly (BilledCall | BilledSum)[], calls: readonly BookedCall[] = booked) =>
  reconcile(rows, calls).findings.map(({ kind, row, difference, calls: causes }) => [
    kind,
    row,
    difference,
    causes.map(({ id }) => id).join(' '),
  ]);

describe('a bill with a row for each call', () => {
  it('has no finding if it equals the ledger, in any order of its rows', () => {
    const result = reconcile(correct.toReversed(), booked);
    expect(result).toMatchObject({ findings: [], settles: [] });
    expect(result.explainedMicroUsd).toBe(result.bookedMicroUsd);
    expect(result.billedMicroUsd).toBe(result.bookedMicroUsd);
  });

  it('shows every planted error and reports nothing else', () => {
    const planted = correct
      .filter(({ row }) => row !== 10)
      .map((row) => {
        if (row.row === 20) return { ...row, model: 'gpt-image-1.5' };
        if (row.row === 30) return { ...row, microUsd: 10_000 };
        if (row.row === 35) return { ...row, microUsd: row.microUsd * 2 + 1 };
        return row;
      });
    const double = { ...(correct[3] as BilledCall), row: 50 };
    const foreign: BilledCall = { ...double, requestId: 'req_of_another', row: 51, microUsd: 777 };
    expect(found([...planted, double, foreign]).toSorted()).toEqual(
      [
        ['double_charge', 50, 5_970 + 7 * 4, 'img_4.1'],
        ['not_in_ledger', 51, 777, ''],
        ['not_billed', null, -(5_970 + 7 * 9), 'img_9.1'],
        ['other_model', 20, 0, 'img_19.1'],
        ['rounding', 30, 10_000 - (5_970 + 7 * 29), 'img_29.1'],
        ['amount_differs', 35, 5_970 + 7 * 34 + 1, 'img_34.1'],
      ].toSorted(),
    );
  });

  it('settles a possible charge by its row, and as free without a row', () => {
    const calls = [call(1), call(2, { microUsd: null }), call(3, { microUsd: null })];
    const rows = [correct[0], { ...(correct[1] as BilledCall), microUsd: 6_000 }] as BilledCall[];
    const { findings, settles } = reconcile(rows, calls);
    expect(findings).toEqual([]);
    expect(settles.map(({ call: { id }, microUsd }) => [id, microUsd])).toEqual([
      ['img_2.1', 6_000],
      ['img_3.1', 0],
    ]);
  });

  it('settles a call whose response was lost by the row of its model that is nearest in time', () => {
    const lost = [4, 9].map((no) => call(no, { microUsd: null, maxMicroUsd: 6_460, requestId: null }));
    const row: BilledCall = { ...(correct[8] as BilledCall), requestId: 'req_unseen', microUsd: 6_033 };
    const { findings, settles } = reconcile([row], lost);
    expect(findings).toEqual([]);
    expect(settles.map(({ call: { id }, microUsd }) => [id, microUsd])).toEqual([
      ['img_9.1', 6_033],
      ['img_4.1', 0],
    ]);
  });

  it('never takes an amount above the bound of a call for its charge, unless the row names the call', () => {
    const lost = call(9, { microUsd: null, maxMicroUsd: 6_460, requestId: null });
    const foreign: BilledCall = {
      ...(correct[8] as BilledCall),
      requestId: 'req_unseen',
      microUsd: 9_000_000,
    };
    expect(reconcile([foreign], [lost])).toMatchObject({
      findings: [{ kind: 'not_in_ledger', difference: 9_000_000 }],
      settles: [{ call: lost, microUsd: 0 }],
    });
    const unpriced = { ...lost, maxMicroUsd: null };
    expect(found([{ ...foreign, microUsd: 5 }], [unpriced])).toEqual([
      ['not_in_ledger', correct[8]?.row, 5, ''],
    ]);
    const named = call(9, { microUsd: null, maxMicroUsd: 6_460 });
    expect(reconcile([{ ...foreign, requestId: named.requestId }], [named])).toMatchObject({
      findings: [],
      settles: [{ call: named, microUsd: 9_000_000 }],
    });
  });

  it('accepts the version of a model for its alias, and fractions that the ledger rounded', () => {
    const rows = correct.map((row) => ({
      ...row,
      model: 'gpt-image-2-2026-04-21',
      microUsd: row.microUsd + 0.45,
    }));
    expect(found(rows)).toEqual([]);
  });
});

describe('a bill with sums of days', () => {
  const flare = [call(51, { model: 'gpt-image-2.6-flare', microUsd: 19_920 })];
  const all = [...booked, ...flare];
  const days = [bucket(0, 'gpt-image-2', sumOf(booked)), bucket(0, 'gpt-image-2.6-flare', sumOf(flare))];

  it('has no finding if every sum equals the ledger, also in several line items and as one total', () => {
    expect(found(days, all)).toEqual([]);
    const halves = days.flatMap((each) =>
      [0.25, 0.75].map((part) => ({ ...each, microUsd: each.microUsd * part })),
    );
    expect(found(halves, all)).toEqual([]);
    expect(found([bucket(0, null, sumOf(all))], all)).toEqual([]);
  });

  it('names the call that was billed twice, the one that is missing, and a sum that is rounded', () => {
    const [first, second] = days as [BilledSum, BilledSum];
    const withSum = (microUsd: number) => found([{ ...first, microUsd }, second], all);
    expect(withSum(first.microUsd + 5_977)).toEqual([['double_charge', 2, 5_977, 'img_1.1']]);
    expect(withSum(first.microUsd - 5_977)).toEqual([['not_billed', 2, -5_977, 'img_1.1']]);
    const rounded = Math.ceil(first.microUsd / 10_000) * 10_000;
    expect(withSum(rounded)).toEqual([['rounding', 2, rounded - first.microUsd, '']]);
    expect(withSum(first.microUsd + 123_457)).toEqual([['unexplained', 2, 123_457, '']]);
  });

  it('recognizes a call that was billed as another model', () => {
    const [first, second] = days as [BilledSum, BilledSum];
    const rows = [
      { ...first, microUsd: first.microUsd - 5_977 },
      { ...second, microUsd: second.microUsd + 21_111 },
    ];
    expect(found(rows, all)).toEqual([['other_model', 2, 21_111 - 5_977, 'img_1.1']]);
  });

  it('joins a call with the surplus of its own day if its model is missing on several days', () => {
    const next = call(52, { model: 'gpt-image-2.6-flare', microUsd: 19_930, atMs: day + dayMs + hourMs });
    const rows = [bucket(0, 'gpt-image-2', sumOf(booked)), bucket(1, 'gpt-image-2', 21_111)];
    expect(found(rows, [...all, next])).toEqual([
      ['not_billed', null, -19_920, 'img_51.1'],
      ['other_model', 3, 21_111 - 19_930, 'img_52.1'],
    ]);
  });

  it('names the call that was billed twice on a day with 200,000 calls', () => {
    const calls = Array.from({ length: 200_000 }, (_, no) => call(no, { atMs: day, microUsd: 10 }));
    calls.push(call(200_000, { atMs: day, microUsd: 500_000 }));
    expect(found([bucket(0, null, sumOf(calls) + 500_000)], calls)).toEqual([
      ['double_charge', 2, 500_000, 'img_200000.1'],
    ]);
  });

  it('accepts calls that began before midnight and were billed on the next day', () => {
    const late = [call(60, { atMs: day + dayMs - 5_000 }), call(61, { atMs: day + dayMs - 60_000 })];
    const next = [call(62, { atMs: day + dayMs + 5_000 })];
    const rows = [
      bucket(0, 'gpt-image-2', sumOf(booked)),
      bucket(1, 'gpt-image-2', sumOf([...late, ...next])),
    ];
    expect(found(rows, [...booked, ...late, ...next])).toEqual([]);
  });

  it('settles the only possible charge of a day by the surplus, and all as free without one', () => {
    const open = call(70, { microUsd: null, maxMicroUsd: 6_460 });
    const settlesFor = (surplus: number, calls: readonly BookedCall[]) =>
      reconcile([bucket(0, 'gpt-image-2', sumOf(booked) + surplus)], [...booked, ...calls]);
    expect(settlesFor(6_460, [open])).toMatchObject({
      findings: [],
      settles: [{ call: open, microUsd: 6_460 }],
    });
    expect(settlesFor(0, [open])).toMatchObject({ findings: [], settles: [{ call: open, microUsd: 0 }] });
    const both = settlesFor(6_460, [open, call(71, { microUsd: null, maxMicroUsd: 6_460 })]);
    expect(both.settles).toEqual([]);
    expect(both.findings.map(({ kind, calls }) => [kind, calls.length])).toEqual([['unexplained', 2]]);
    const above = settlesFor(50_000_000, [open]);
    expect(above.settles).toEqual([]);
    expect(above.findings).toMatchObject([{ kind: 'unexplained', difference: 50_000_000, calls: [open] }]);
  });

  it('shows a model without a row as not billed, however small its sum is', () => {
    const small = call(75, { model: 'gpt-image-1-mini', microUsd: 5_409 });
    expect(found(days, [...all, small])).toEqual([['not_billed', null, -5_409, 'img_75.1']]);
  });
});

describe('a bill with numbers of requests', () => {
  it('shows a day whose number the ledger cannot explain', () => {
    const calls = [...booked, call(80, { microUsd: null })];
    const count = (requests: number) =>
      reconcile(
        [{ kind: 'count', row: 2, fromMs: day, toMs: day + dayMs, model: 'gpt-image-2', requests }],
        calls,
      ).findings.map(({ kind, difference }) => [kind, difference]);
    expect(count(40)).toEqual([]);
    expect(count(41)).toEqual([]);
    expect(count(43)).toEqual([['request_count_differs', 2]]);
    expect(count(39)).toEqual([['request_count_differs', -1]]);
  });
});
