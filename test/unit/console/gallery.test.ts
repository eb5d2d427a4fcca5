import { describe, expect, it } from 'vitest';
import type { ImageJob } from '../../../console/src/api/types.ts';
import { apiQuery, filtersOf, hasFilters } from '../../../console/src/screens/gallery/filters.ts';
import {
  addPage,
  applyEvent,
  emptyList,
  focusAfter,
  mergeNewest,
  removeJobs,
  showWaiting,
} from '../../../console/src/screens/gallery/job-list.ts';
import {
  arrange,
  neighborOf,
  placeOf,
  ratioOf,
  windowOf,
} from '../../../console/src/screens/gallery/layout.ts';
import { moveBy, reset, zoomAt } from '../../../console/src/screens/gallery/zoom.ts';

const at = '2026-11-29T12:00:00.000Z';

/** Returns a job as far as the gallery reads it. */
function jobOf(id: string, more: object = {}): ImageJob {
  const base = { id, status: 'running', stage: null, created_at: at, updated_at: at, finished_at: null };
  return { ...base, images: [], request: { size: '1024x1024' }, ...more } as unknown as ImageJob;
}
const page = (...ids: string[]) => ({ data: ids.map((id) => jobOf(id)), next_cursor: 'more' });
const idsOf = (jobs: readonly ImageJob[]) => jobs.map(({ id }) => id).join(' ');

describe('the filters of the gallery', () => {
  it('are read from the address and become the query of the API', () => {
    const filters = filtersOf(new URLSearchParams('status=failed&since=24h&metadata[a b]=c=d&job=img_1'));
    expect(filters).toMatchObject({ status: 'failed', since: '24h', metadata: [['a b', 'c=d']] });
    expect(hasFilters(filters)).toBe(true);
    expect(apiQuery(filters, Date.parse('2026-11-29T12:00:30Z'))).toEqual({
      status: 'failed',
      created_after: '2026-11-28T12:00:00.000Z',
      'metadata[a b]': 'c=d',
    });
  });

  it('ignore an unknown period and the selected job', () => {
    expect(hasFilters(filtersOf(new URLSearchParams('since=ever&job=img_1')))).toBe(false);
  });
});

describe('the list of the gallery', () => {
  const list = addPage(emptyList, page('img_5', 'img_4', 'img_3'));

  it('adds pages without a job twice', () => {
    expect(idsOf(addPage(list, page('img_3', 'img_2')).jobs)).toBe('img_5 img_4 img_3 img_2');
  });

  it('lets new jobs wait while the user reads further down, and shows them on request', () => {
    const later = mergeNewest(list, page('img_6', 'img_5').data, false);
    expect([idsOf(later.jobs), idsOf(later.waiting)]).toEqual(['img_5 img_4 img_3', 'img_6']);
    expect(idsOf(showWaiting(later).jobs)).toBe('img_6 img_5 img_4 img_3');
    expect(idsOf(mergeNewest(list, page('img_6').data, true).jobs)).toBe('img_6 img_5 img_4 img_3');
  });

  it('takes the newer version of a job', () => {
    const newer = jobOf('img_4', { updated_at: '2026-11-29T12:00:01.000Z', status: 'succeeded' });
    expect(mergeNewest(list, [newer], true).jobs[1]?.status).toBe('succeeded');
    const older = jobOf('img_4', { updated_at: '2026-11-29T11:59:59.000Z', status: 'queued' });
    expect(mergeNewest(list, [older], true).jobs[1]?.status).toBe('running');
  });

  it('applies events to known jobs and drops jobs that leave the filter', () => {
    const event = { id: 'img_4', type: 'image.progress', status: 'running', stage: 'storing', at } as const;
    expect(applyEvent(list, event).jobs[1]?.stage).toBe('storing');
    expect(applyEvent(list, { ...event, id: 'img_9' })).toBe(list);
    const ended = { ...event, status: 'failed', job: jobOf('img_4', { status: 'failed' }) } as const;
    expect(idsOf(applyEvent(list, ended, 'running').jobs)).toBe('img_5 img_3');
  });

  it('moves the focus to the next job that stays after an erasure', () => {
    expect(focusAfter(list.jobs, new Set(['img_5']))).toBe('img_4');
    expect(focusAfter(list.jobs, new Set(['img_4', 'img_3']))).toBe('img_5');
    expect(focusAfter(list.jobs, new Set(['img_5', 'img_4', 'img_3']))).toBeNull();
    expect(idsOf(removeJobs(list, new Set(['img_4'])).jobs)).toBe('img_5 img_3');
  });
});

describe('the layout of the gallery', () => {
  const sizes = ['1536x1024', '1024x1024', '1024x1536', 'auto'];
  const jobs = Array.from({ length: 30 }, (_, i) =>
    jobOf(`img_${String(99 - i)}`, {
      request: { size: sizes[i % 4] },
      created_at: `2026-11-${29 - Math.floor(i / 12)}T12:00:00.000Z`,
    }),
  );
  const lines = arrange(jobs, { width: 1000, isNarrow: false });

  it('gives each image its true proportion, within limits', () => {
    expect(ratioOf(jobOf('img_1', { request: { size: '1536x1024' } }))).toBe(1.5);
    expect(ratioOf(jobOf('img_1', { images: [{ width: 400, height: 100 }] }))).toBe(2.2);
    expect(ratioOf(jobOf('img_1', { images: [{ width: 0, height: 0 }] }))).toBe(1);
  });

  it('fills full rows, starts a row for each day, and never exceeds the width', () => {
    expect(lines.filter(({ kind }) => kind === 'day')).toHaveLength(3);
    const rows = lines.flatMap((line) => (line.kind === 'row' ? [line] : []));
    expect(rows.flatMap(({ tiles }) => tiles)).toHaveLength(30);
    const widths = rows.map(({ tiles }) =>
      tiles.reduce((sum, { width }) => sum + width, (tiles.length - 1) * 16),
    );
    for (const width of widths) expect(width).toBeLessThanOrEqual(1000.01);
    expect(widths[0]).toBeCloseTo(1000);
  });

  it('has two square columns on narrow screens', () => {
    const [, first] = arrange(jobs, { width: 358, isNarrow: true });
    expect(first).toMatchObject({ kind: 'row', imageHeight: 173, tiles: [{ width: 173 }, { width: 173 }] });
  });

  it('has only the lines near the visible part, and the heights of the others', () => {
    const total = lines.reduce((sum, { height }) => sum + height, 0);
    const { lines: shown, above, below } = windowOf(lines, 600, 900);
    const height = shown.reduce((sum, line) => sum + line.height, 0);
    expect(above + height + below).toBeCloseTo(total);
    expect(shown.length).toBeLessThan(lines.length);
    expect(above).toBeLessThanOrEqual(600);
  });

  it('leads arrow keys to neighbors', () => {
    const first = jobs[0]?.id ?? '';
    expect(neighborOf(lines, null, 'ArrowRight')).toBe(first);
    expect(neighborOf(lines, first, 'ArrowRight')).toBe(jobs[1]?.id);
    expect(neighborOf(lines, first, 'ArrowLeft')).toBeNull();
    const below = neighborOf(lines, first, 'ArrowDown') ?? '';
    expect(placeOf(lines, below)?.top).toBeGreaterThan(placeOf(lines, first)?.top ?? 0);
    expect(neighborOf(lines, below, 'ArrowUp')).toBe(first);
  });
});

describe('the zoom of a comparison', () => {
  it('leaves the point under the pointer where it is', () => {
    const view = zoomAt(reset, 2, { x: 0.75, y: 0.5 });
    expect(view).toEqual({ zoom: 2, x: -0.25, y: 0 });
  });

  it('covers the frame at every zoom, and ends at the whole image', () => {
    expect(moveBy({ zoom: 2, x: 0, y: 0 }, 3, -3)).toEqual({ zoom: 2, x: 0.5, y: -0.5 });
    expect(zoomAt({ zoom: 2, x: 0.5, y: 0.5 }, 0.1, { x: 0, y: 0 })).toMatchObject({ zoom: 1 });
    expect(moveBy(reset, 1, 1)).toMatchObject({ zoom: 1 });
    expect(zoomAt(reset, 1_000, { x: 0.5, y: 0.5 }).zoom).toBe(16);
  });
});
