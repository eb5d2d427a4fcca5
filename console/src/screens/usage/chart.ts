import uPlot from 'uplot';

/** Colors of the chart, as the browser resolved them. */
export interface ChartColors {
  /** Color of each series by its number; 0 is the rest. */
  readonly series: readonly string[];
  readonly text: string;
  readonly line: string;
}

export interface ChartOptions {
  /** Start of each day in seconds. */
  readonly days: readonly number[];
  /** Values of the series, the top one first. */
  readonly stack: readonly { readonly no: number; readonly values: readonly number[] }[];
  readonly colors: ChartColors;
  readonly width: number;
  readonly formatAmount: (microUsd: number) => string;
  readonly formatDay: (seconds: number) => string;
  /** Called with the index of the day at the cursor; null without one. */
  readonly onDay: (index: number | null) => void;
}

const height = 240;
const barShare = 0.7;
const maxBarPx = 40;
const daySeconds = 86_400;

/** Draws bars that are stacked by day. */
export function drawChart(element: HTMLElement, options: ChartOptions): uPlot {
  const { days, stack, colors, width, formatAmount, formatDay, onDay } = options;
  const axis = {
    stroke: colors.text,
    font: '12px system-ui, sans-serif',
    ticks: { show: false },
    grid: { stroke: colors.line, width: 1 },
  };
  const first = days[0] ?? 0;
  const last = days.at(-1) ?? 0;
  return new uPlot(
    {
      width,
      height,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: {
        x: { time: true, range: [first - daySeconds / 2, last + daySeconds / 2] },
        y: { range: (_chart, _min, max) => [0, max > 0 ? max * 1.1 : 1_000_000] },
      },
      axes: [
        {
          ...axis,
          size: 32,
          grid: { show: false },
          space: 70,
          incrs: dayIncrements,
          values: (_chart, splits) => splits.map(formatDay),
        },
        { ...axis, size: 68, values: (_chart, splits) => splits.map(formatAmount) },
      ],
      series: [
        {},
        ...stack.map(({ no }) => ({
          fill: colors.series[no] ?? colors.text,
          width: 0,
          points: { show: false },
          paths: uPlot.paths.bars?.({ size: [barShare, maxBarPx] }) as uPlot.Series.PathBuilder,
        })),
      ],
      hooks: { setCursor: [({ cursor }) => onDay(cursor.idx ?? null)] },
    },
    [[...days], ...stack.map(({ values }) => [...values])],
    element,
  );
}

const dayIncrements = [1, 2, 5, 7, 10, 14, 30, 60, 90, 180, 365].map((count) => count * daySeconds);
