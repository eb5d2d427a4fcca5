import { describe, expect, it } from 'vitest';
import { chartSize, layoutOf, pathsOf, scaleOf } from '../../../console/src/screens/usage/chart.ts';

const series = [
  { no: 1, name: 'a', values: [0, 5_000_000, 1_000_000] },
  { no: 2, name: 'b', values: [0, 3_500_000, 0] },
];
const bottom = chartSize.height - chartSize.bottom;

describe('the usage chart', () => {
  it('has a scale of round steps that holds the highest sum of a day', () => {
    expect(scaleOf(series)).toEqual({
      ticks: [0, 2_000_000, 4_000_000, 6_000_000, 8_000_000, 10_000_000],
      ...{ top: 10_000_000, decimals: 0 },
    });
    expect(scaleOf([{ no: 1, name: 'a', values: [1_200] }])).toMatchObject({ top: 1_500, decimals: 4 });
    expect(scaleOf([{ no: 1, name: 'a', values: [0] }])).toMatchObject({ top: 1_000_000, decimals: 2 });
    expect(scaleOf([])).toMatchObject({ top: 1_000_000 });
  });

  it('stacks the bars of a day and draws none for zero', () => {
    const layout = layoutOf(chartSize.left + 30, 3, 8_500_000);
    const [first, second] = pathsOf(series, layout);
    const height = bottom - chartSize.top;
    const lower = (5 / 8.5) * height;
    expect(first?.d.match(/M/g)).toHaveLength(2);
    expect(first?.d).toMatch(new RegExp(`^M71.5 ${Math.round((bottom - lower) * 100) / 100}h7v`));
    expect(second?.d).toBe(`M71.5 ${chartSize.top}h7v${Math.round((height - lower - 1) * 100) / 100}h-7z`);
  });

  it('finds the day at every position, and labels days back from the last one', () => {
    const layout = layoutOf(chartSize.left + 300, 30, 1);
    expect([0, chartSize.left + 15, 10_000].map(layout.dayAt)).toEqual([0, 1, 29]);
    expect(layout.labels).toEqual([9, 19, 29]);
  });
});
