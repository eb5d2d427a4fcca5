import { describe, expect, it } from 'vitest';
import type { UsageRow } from '../../../console/src/api/types.ts';
import { apiQuery, dimensionOf, periodOf, queryOf } from '../../../console/src/screens/usage/query.ts';
import { daysOf, reportOf } from '../../../console/src/screens/usage/usage-data.ts';

const row = (fields: Partial<UsageRow>): UsageRow => ({
  ...{ day: '2026-11-28', provider: 'openai', jobs: 1, images: 1, failed: 0 },
  ...{ micro_usd: 100, micro_usd_possible: 0, unknown_cost_jobs: 0, tokens: 7 },
  ...fields,
});
const days = daysOf('2026-11-27', '2026-11-30');

describe('the report of usage', () => {
  it('sums rows by name, the highest cost first, and the values of each day', () => {
    const report = reportOf(
      [
        row({ model: 'a', micro_usd: 10 }),
        row({ model: 'b', micro_usd: 50, unknown_cost_jobs: 1 }),
        row({ model: 'b', micro_usd: 5, day: '2026-11-29', provider: null }),
      ],
      { dimension: 'model', days },
    );
    expect(report.groups).toMatchObject([
      { name: 'b', micro_usd: 55, jobs: 2, unknown_cost_jobs: 1 },
      { name: 'a', micro_usd: 10 },
    ]);
    expect(report.total).toMatchObject({ micro_usd: 65, jobs: 3, isSimulated: false });
    expect(report.series).toEqual([
      { no: 1, name: 'b', values: [0, 50, 5] },
      { no: 2, name: 'a', values: [0, 10, 0] },
    ]);
  });

  it('never adds simulated amounts to real ones', () => {
    const rows = [
      row({ key_id: 'k', micro_usd: 10 }),
      row({ key_id: 'k', provider: 'studio', micro_usd: 1_000 }),
    ];
    const report = reportOf(rows, { dimension: 'key', days });
    expect(report.total).toMatchObject({ micro_usd: 10, isSimulated: false });
    expect(report.simulated).toMatchObject({ micro_usd: 1_000, jobs: 1 });
    expect(report.groups.map(report.seriesOf)).toEqual([1, null]);
    const offline = reportOf(rows.slice(1), { dimension: 'key', days });
    expect(offline.total).toMatchObject({ micro_usd: 1_000, isSimulated: true });
    expect(offline.simulated).toBeNull();
  });

  it('gives four groups a color and joins the others', () => {
    const rows = [1, 2, 3, 4, 5, 6].map((value) => row({ model: `m${value}`, micro_usd: value }));
    const report = reportOf(rows, { dimension: 'model', days });
    expect(report.series.map(({ no, name, values }) => [no, name, values[1]])).toEqual([
      [1, 'm6', 6],
      [2, 'm5', 5],
      [3, 'm4', 4],
      [4, 'm3', 3],
      [0, null, 3],
    ]);
  });
});

describe('the state of the usage screen', () => {
  it('reads the address, and replaces unknown values by the default', () => {
    expect(queryOf(new URLSearchParams('days=90&by=metadata.a.b&tenant=acme'))).toEqual({
      ...{ range: '90', kind: 'metadata', metadataKey: 'a.b', tenant: 'acme' },
    });
    expect(queryOf(new URLSearchParams('days=1&by=color'))).toMatchObject({ range: '30', kind: 'model' });
  });

  it('requests days and providers besides the dimension', () => {
    const query = queryOf(new URLSearchParams('by=metadata.team'));
    expect(dimensionOf(query)).toBe('metadata.team');
    const period = periodOf('7', Date.parse('2026-11-29T23:59:00Z'));
    expect(period).toMatchObject({ from: '2026-11-23', to: '2026-11-30' });
    expect(period.days).toHaveLength(7);
    expect(apiQuery(query, 'metadata.team', period).group_by).toBe('day,metadata.team,provider');
    expect(apiQuery(query, 'provider', period).group_by).toBe('day,provider');
  });
});
