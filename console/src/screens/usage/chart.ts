import type { UsageSeries } from './usage-data.ts';

/** Size of the chart and the space of its axes, in CSS pixels. */
export const chartSize = { height: 240, left: 60, top: 12, bottom: 28 } as const;

/** Values of the grid lines, from zero to the top of the chart, in micro-USD. */
export interface AmountScale {
  readonly ticks: readonly number[];
  readonly top: number;
  /** Decimals that the labels need, in US dollars. */
  readonly decimals: number;
}

const maxSteps = 5;
const emptyTop = 1_000_000;

/** Returns the scale with round steps that holds the highest bar. */
export function scaleOf(series: readonly UsageSeries[]): AmountScale {
  const dayCount = series[0]?.values.length ?? 0;
  const sums = Array.from({ length: dayCount }, (_, day) =>
    series.reduce((sum, { values }) => sum + (values[day] ?? 0), 0),
  );
  const highest = Math.max(...sums, 0) || emptyTop;
  const power = 10 ** Math.floor(Math.log10(highest / maxSteps));
  const step =
    [1, 2, 5, 10].map((factor) => factor * power).find((each) => each * maxSteps >= highest) ?? highest;
  const count = Math.ceil(highest / step);
  const decimals = Math.ceil(-Math.log10(step / 1_000_000));
  return {
    ticks: Array.from({ length: count + 1 }, (_, i) => i * step),
    top: count * step,
    decimals: decimals <= 0 ? 0 : Math.max(2, decimals),
  };
}

/** Places of the bars in a chart. */
export interface ChartLayout {
  /** Width of a day. */
  readonly dayWidth: number;
  readonly barWidth: number;
  /** Returns the middle of a day. */
  readonly xOf: (day: number) => number;
  /** Returns the height of an amount in the chart. */
  readonly yOf: (microUsd: number) => number;
  /** Returns the day at a horizontal position, which may be outside of the bars. */
  readonly dayAt: (x: number) => number;
  /** Days with a label, counted back from the last one. */
  readonly labels: readonly number[];
}

const barShare = 0.7;
const maxBarWidth = 40;
/** Space below a part of a bar, so that parts of similar colors stay distinct. */
const gap = 1;
const labelWidth = 80;
const labelSteps = [1, 2, 5, 7, 10, 14, 30, 60, 90, 180, 365];

export function layoutOf(width: number, dayCount: number, top: number): ChartLayout {
  const { height, left, top: above, bottom } = chartSize;
  const dayWidth = Math.max(0, width - left) / Math.max(1, dayCount);
  const step = labelSteps.find((each) => each * dayWidth >= labelWidth) ?? dayCount;
  return {
    dayWidth,
    barWidth: Math.min(maxBarWidth, dayWidth * barShare),
    xOf: (day) => left + (day + 0.5) * dayWidth,
    yOf: (microUsd) => height - bottom - (microUsd / top) * (height - bottom - above),
    dayAt: (x) => Math.min(dayCount - 1, Math.max(0, Math.floor((x - left) / dayWidth))),
    labels: Array.from({ length: dayCount }, (_, day) => day).filter(
      (day) => (dayCount - 1 - day) % step === 0,
    ),
  };
}

/** Returns one SVG path for each series. A bar stands on those of the earlier series. */
export function pathsOf(
  series: readonly UsageSeries[],
  { barWidth, xOf, yOf }: ChartLayout,
): { readonly no: number; readonly d: string }[] {
  const sums: number[] = [];
  return series.map(({ no, values }) => {
    const bars = values.map((value, day) => {
      const below = sums[day] ?? 0;
      sums[day] = below + value;
      if (value === 0) return '';
      const [x, y] = [xOf(day) - barWidth / 2, yOf(below + value)];
      const height = yOf(below) - y;
      const inked = height > 3 * gap ? height - gap : height;
      return `M${round(x)} ${round(y)}h${round(barWidth)}v${round(inked)}h${round(-barWidth)}z`;
    });
    return { no, d: bars.join('') };
  });
}

const round = (value: number) => Math.round(value * 100) / 100;
