import { useEffect, useRef, useState } from 'preact/hooks';
import { Money } from '../../components/money.tsx';
import { useSettings, useText } from '../../lib/settings.ts';
import { usage } from '../../strings/usage.ts';
import { chartSize, layoutOf, pathsOf, scaleOf } from './chart.ts';
import type { UsageReport, UsageSeries } from './usage-data.ts';

interface Props {
  readonly report: UsageReport;
  readonly nameOf: (series: UsageSeries) => string;
}

/** Bars of the cost by day. The pointer and the arrow keys select a day, whose values the legend shows. */
export function UsageChart({ report, nameOf }: Props) {
  const t = useText(usage);
  const { language } = useSettings().settings;
  const [selected, select] = useState<number | null>(null);
  const { days, series, total } = report;
  const last = days.length - 1;
  // A shorter period may not have the selected day.
  const day = selected === null ? null : Math.min(selected, last);
  const shownDay =
    day === null
      ? undefined
      : dayFormat(language, { dateStyle: 'medium' }).format(Date.parse(days[day] ?? ''));

  const move = (event: KeyboardEvent) => {
    const next = targetOf(event.key, day ?? last, last);
    if (next === undefined) return;
    event.preventDefault();
    select(Math.min(last, Math.max(0, next)));
  };
  return (
    <div class="card-body stack">
      <ul class="row row-wide row-wrap list-plain muted usage-legend" aria-live="polite">
        {shownDay ? <li class="strong num">{shownDay}</li> : null}
        {series.map((each) => (
          <li class="row" key={each.no}>
            <span class="dot" data-series={each.no} />
            {nameOf(each)}
            {day === null ? null : <Money microUsd={each.values[day] ?? 0} isSimulated={total.isSimulated} />}
          </li>
        ))}
      </ul>
      <div
        class="usage-chart"
        role="slider"
        tabIndex={0}
        aria-label={t('chartLabel')}
        aria-valuemin={0}
        aria-valuemax={last}
        aria-valuenow={day ?? last}
        aria-valuetext={shownDay}
        onKeyDown={move}
        onFocus={() => select((current) => current ?? last)}
        onBlur={() => select(null)}
      >
        <Bars report={report} day={day} onDay={select} />
      </div>
    </div>
  );
}

/** Returns the day that a key selects. It may be outside of the period. */
function targetOf(key: string, day: number, last: number): number | undefined {
  if (key === 'ArrowLeft' || key === 'ArrowDown') return day - 1;
  if (key === 'ArrowRight' || key === 'ArrowUp') return day + 1;
  if (key === 'Home') return 0;
  return key === 'End' ? last : undefined;
}

interface BarsProps {
  readonly report: UsageReport;
  readonly day: number | null;
  readonly onDay: (day: number | null) => void;
}

function Bars({ report: { days, series }, day, onDay }: BarsProps) {
  const box = useRef<SVGSVGElement>(null);
  const width = useWidth(box);
  const { language } = useSettings().settings;
  const scale = scaleOf(series);
  const layout = layoutOf(width, days.length, scale.top);
  const digits = { minimumFractionDigits: scale.decimals, maximumFractionDigits: scale.decimals };
  const amounts = new Intl.NumberFormat(language, digits);
  const dates = dayFormat(language, { day: 'numeric', month: 'short' });
  const { height, left, top, bottom } = chartSize;
  const point = (event: PointerEvent) =>
    onDay(layout.dayAt(event.clientX - (box.current?.getBoundingClientRect().left ?? 0)));
  return (
    <svg
      class="chart"
      ref={box}
      height={height}
      aria-hidden="true"
      onPointerMove={point}
      onPointerDown={point}
      onPointerLeave={() => onDay(null)}
    >
      {scale.ticks.map((tick) => (
        <g key={tick}>
          <path class="axis" d={`M${left} ${layout.yOf(tick)}H${width}`} />
          <text x={left - 8} y={layout.yOf(tick) + 4} text-anchor="end">
            ${amounts.format(tick / 1_000_000)}
          </text>
        </g>
      ))}
      {day === null ? null : (
        <rect
          class="cursor"
          x={layout.xOf(day) - layout.dayWidth / 2}
          y={top}
          width={layout.dayWidth}
          height={height - top - bottom}
        />
      )}
      {pathsOf(series, layout).map(({ no, d }) => (
        <path key={no} class={`s${no}`} d={d} />
      ))}
      {layout.labels.map((label) => {
        const isLast = label === days.length - 1;
        return (
          <text
            key={label}
            x={isLast ? width : layout.xOf(label)}
            y={height - 8}
            text-anchor={isLast ? 'end' : 'middle'}
          >
            {dates.format(Date.parse(days[label] ?? ''))}
          </text>
        );
      })}
    </svg>
  );
}

function dayFormat(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(language, { ...options, timeZone: 'UTC' });
}

function useWidth(box: { readonly current: Element | null }): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return width;
}
