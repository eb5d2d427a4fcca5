import { useEffect, useRef, useState } from 'preact/hooks';
import { Money } from '../../components/money.tsx';
import { formatUsd } from '../../format/money.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { usage } from '../../strings/usage.ts';
import type { ChartColors, drawChart } from './chart.ts';
import { stacked, type UsageReport, type UsageSeries } from './usage-data.ts';

interface Props {
  readonly report: UsageReport;
  readonly nameOf: (series: UsageSeries) => string;
}

/** Bars of the cost by day. The pointer and the arrow keys select a day, whose values the legend shows. */
export function UsageChart({ report, nameOf }: Props) {
  const t = useText(usage);
  const { language, theme } = useSettings().settings;
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<ReturnType<typeof drawChart> | null>(null);
  const [day, setDay] = useState<number | null>(null);
  const width = useWidth(box);
  const scheme = useScheme();
  const { days, series, total } = report;

  useEffect(() => {
    const element = box.current;
    if (!element || width === 0) return;
    let isCurrent = true;
    const load = async () => {
      const { drawChart: draw } = await import('./chart.ts');
      if (!isCurrent) return;
      const formatDay = dayFormat(language, { day: 'numeric', month: 'short' });
      chart.current = draw(element, {
        days: days.map((each) => Date.parse(each) / 1000),
        stack: stacked(series),
        colors: colorsOf(element),
        width,
        formatAmount: (microUsd) => formatUsd(microUsd, language),
        formatDay: (seconds) => formatDay.format(seconds * 1000),
        onDay: setDay,
      });
      element.dataset.drawn = 'true';
    };
    void load();
    return () => {
      isCurrent = false;
      chart.current?.destroy();
      chart.current = null;
    };
  }, [report, width, scheme, theme, language]);

  const move = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const next = Math.min(days.length - 1, Math.max(0, (day ?? (step > 0 ? -1 : days.length)) + step));
    const left = chart.current?.valToPos(Date.parse(days[next] ?? '') / 1000, 'x');
    // The chart reports the day at its cursor, as for the pointer.
    if (left !== undefined) chart.current?.setCursor({ left, top: 0 });
  };
  const at = day === null ? undefined : days[day];
  const shownDay = at && dayFormat(language, { dateStyle: 'medium' }).format(Date.parse(at));
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
        ref={box}
        role="img"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: The arrow keys select a day.
        tabIndex={0}
        aria-label={t('chartLabel')}
        onKeyDown={move}
      />
    </div>
  );
}

function dayFormat(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(language, { ...options, timeZone: 'UTC' });
}

/** Reads the colors from elements, because a canvas cannot use the variables of the page. */
function colorsOf(element: HTMLElement): ChartColors {
  const probe = document.createElement('span');
  probe.className = 'dot';
  element.append(probe);
  const series = [0, 1, 2, 3, 4].map((no) => {
    probe.dataset.series = String(no);
    return getComputedStyle(probe).backgroundColor;
  });
  probe.className = 'usage-axis';
  const { color, borderTopColor } = getComputedStyle(probe);
  probe.remove();
  return { series, text: color, line: borderTopColor };
}

function useWidth(box: { readonly current: HTMLElement | null }): number {
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

/** Returns the scheme of the system, so that the chart is drawn again after a change. */
function useScheme(): boolean {
  const query = matchMedia('(prefers-color-scheme: dark)');
  const [isDark, setDark] = useState(query.matches);
  useEffect(() => {
    const update = () => setDark(query.matches);
    query.addEventListener('change', update);
    return () => query.removeEventListener('change', update);
  }, []);
  return isDark;
}
