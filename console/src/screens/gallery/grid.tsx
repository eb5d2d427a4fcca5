import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useSettings, useText } from '../../lib/settings.ts';
import { gallery } from '../../strings/gallery.ts';
import { arrange, dayOf, type Line, placeOf, windowOf } from './layout.ts';
import { Tile } from './tile.tsx';
import type { Jobs } from './use-jobs.ts';

interface Props {
  readonly jobs: Jobs;
  readonly selected: string | null;
  readonly marked: ReadonlySet<string>;
  readonly onSelect: (id: string) => void;
  readonly onMark: (id: string) => void;
  /** Receives the lines, which the arrow keys need. */
  readonly linesRef: RefObject<readonly Line[]>;
}

/** Rows within this distance of the visible part are on the page. */
const marginPx = 900;
const stepPx = 150;
/** The next page is loaded this far before the end. */
const loadPx = 2_000;
const dayMs = 86_400_000;

/** The tiles by day. Rows far from the visible part are not on the page. */
export function Grid({ jobs, selected, marked, onSelect, onMark, linesRef }: Props) {
  const t = useText(gallery);
  const element = useRef<HTMLDivElement>(null);
  const { width, isNarrow, top, height } = useVisiblePart(element);
  const { list, loadMore } = jobs;
  const lines = useMemo(
    () => (width > 0 ? arrange(list.jobs, { width, isNarrow }) : []),
    [list.jobs, width, isNarrow],
  );
  linesRef.current = lines;
  const shown = windowOf(lines, top - marginPx, top + height + marginPx);
  const total = lines.reduce((sum, line) => sum + line.height, 0);
  useEffect(() => {
    if (top + height + loadPx > total) loadMore();
  }, [top, height, total, loadMore]);
  useScrollToSelected(element, lines, selected);
  useFirstTilesMeasure(lines.length > 0);
  return (
    <div ref={element} class="gallery-lines" aria-busy={jobs.isLoading || undefined}>
      <div style={{ height: `${shown.above}px` }} />
      {shown.lines.map((line) =>
        line.kind === 'day' ? (
          <DayHeading key={line.key} at={line.at} />
        ) : (
          <ul
            key={line.key}
            class="gallery gallery-row"
            aria-label={t('row')}
            style={{ height: `${line.height}px`, '--tile-height': `${line.imageHeight}px` }}
          >
            {line.tiles.map(({ job, width: tileWidth }) => (
              <Tile
                key={job.id}
                job={job}
                width={tileWidth}
                preview={jobs.previews[job.id]}
                isSelected={job.id === selected}
                isMarked={marked.has(job.id)}
                onSelect={onSelect}
                onMark={onMark}
                onStale={jobs.renew}
              />
            ))}
          </ul>
        ),
      )}
      <div style={{ height: `${shown.below}px` }} />
    </div>
  );
}

function DayHeading({ at }: { at: string }) {
  const t = useText(gallery);
  const { language } = useSettings().settings;
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(language, options).format(new Date(at));
  const now = Date.now();
  const day = dayOf(at);
  const date = format({ day: 'numeric', month: 'long', year: 'numeric' });
  const name =
    day === dayOf(new Date(now).toISOString())
      ? t('today')
      : day === dayOf(new Date(now - dayMs).toISOString())
        ? t('yesterday')
        : format({ weekday: 'long' });
  return (
    <h2 class="day gallery-day">
      {name}
      <span class="faint num">{date}</span>
    </h2>
  );
}

/** Records the time from the navigation to the first painted tiles, for the tools of browsers and for tests. */
function useFirstTilesMeasure(hasTiles: boolean): void {
  useEffect(() => {
    if (!hasTiles) return;
    requestAnimationFrame(() =>
      performance.measure('gallery-first-tiles', { start: 0, end: performance.now() }),
    );
  }, [hasTiles]);
}

interface VisiblePart {
  readonly width: number;
  readonly isNarrow: boolean;
  /** Offset of the visible part from the top of the gallery. */
  readonly top: number;
  readonly height: number;
}

/** Returns the size of the gallery and its visible part. Small movements do not render it again. */
function useVisiblePart(element: RefObject<HTMLDivElement>): VisiblePart {
  const [part, setPart] = useState<VisiblePart>({ width: 0, isNarrow: false, top: 0, height: 900 });
  useLayoutEffect(() => {
    const { current } = element;
    if (!current) return;
    const narrow = matchMedia('(max-width: 52rem)');
    const measure = () => {
      const box = current.getBoundingClientRect();
      const top = Math.floor(-box.top / stepPx) * stepPx;
      const next = { width: Math.floor(box.width), isNarrow: narrow.matches, top, height: innerHeight };
      setPart((before) =>
        Object.entries(next).every(([name, value]) => before[name as keyof VisiblePart] === value)
          ? before
          : next,
      );
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    addEventListener('scroll', measure, { passive: true });
    addEventListener('resize', measure);
    return () => {
      observer.disconnect();
      removeEventListener('scroll', measure);
      removeEventListener('resize', measure);
    };
  }, [element]);
  return part;
}

/** Scrolls a selected job into the visible part, if an arrow key moved the selection out of it. */
function useScrollToSelected(
  element: RefObject<HTMLDivElement>,
  lines: readonly Line[],
  selected: string | null,
): void {
  useEffect(() => {
    const place = selected === null ? null : placeOf(lines, selected);
    const { current } = element;
    if (!place || !current) return;
    const top = current.getBoundingClientRect().top + place.top;
    const barPx = 64;
    if (top < barPx) scrollBy({ top: top - barPx });
    else if (top + place.height > innerHeight) scrollBy({ top: top + place.height - innerHeight });
  }, [selected]);
}
