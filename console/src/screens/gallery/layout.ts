import type { ImageJob } from '../../api/types.ts';

/** One line of the gallery: the heading of a day, or a row of tiles. */
export type Line =
  | { readonly kind: 'day'; readonly key: string; readonly at: string; readonly height: number }
  | {
      readonly kind: 'row';
      readonly key: string;
      /** Height of the line with captions and the gap below. */
      readonly height: number;
      readonly imageHeight: number;
      readonly tiles: readonly { readonly job: ImageJob; readonly width: number }[];
    };

/** Sizes in CSS pixels. */
const dayHeight = 52;
const rowHeight = 180;
const captionHeight = 52;
const rowGap = 20;
const gap = 16;
const narrowGap = 12;
/** Rows may be this much higher than planned, so that images fill them. The last row of a day is not stretched. */
const maxStretch = 1.35;
const minRatio = 0.58;
const maxRatio = 2.2;

/** Returns the proportion of a job's image: of its bytes, otherwise of its requested size, otherwise a square. */
export function ratioOf({ images, request }: Pick<ImageJob, 'images' | 'request'>): number {
  const image = images[0];
  const [, width, height] = /^(\d+)x(\d+)$/.exec(request.size ?? '') ?? [];
  const ratio = image ? image.width / image.height : width ? Number(width) / Number(height) : 1;
  return Math.min(maxRatio, Math.max(minRatio, Number.isFinite(ratio) ? ratio : 1));
}

/** Returns the day of a time in the zone of the browser, such as `2026-11-29`. */
export function dayOf(iso: string): string {
  const date = new Date(iso);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** Space for the gallery. A narrow one has two square columns. */
export interface Space {
  readonly width: number;
  readonly isNarrow: boolean;
}

/** Arranges jobs, newest first, into days and rows that fill a space. Every image has its true proportion. */
export function arrange(jobs: readonly ImageJob[], space: Space): Line[] {
  const lines: Line[] = [];
  let day = '';
  let row: ImageJob[] = [];
  const endRow = (isLast: boolean) => {
    if (row.length > 0) lines.push(rowOf(row, space, isLast));
    row = [];
  };
  for (const job of jobs) {
    if (dayOf(job.created_at) !== day) {
      endRow(true);
      day = dayOf(job.created_at);
      lines.push({ kind: 'day', key: day, at: job.created_at, height: dayHeight });
    }
    row.push(job);
    if (isFull(row, space)) endRow(false);
  }
  endRow(true);
  return lines;
}

function isFull(row: readonly ImageJob[], { width, isNarrow }: Space): boolean {
  if (isNarrow) return row.length === 2;
  const ratios = row.reduce((sum, job) => sum + ratioOf(job), 0);
  return ratios * rowHeight + (row.length - 1) * gap >= width;
}

function rowOf(row: readonly ImageJob[], { width, isNarrow }: Space, isLast: boolean): Line {
  const key = row[0]?.id ?? '';
  if (isNarrow) {
    const edge = (width - narrowGap) / 2;
    const tiles = row.map((job) => ({ job, width: edge }));
    return { kind: 'row', key, height: edge + captionHeight + rowGap, imageHeight: edge, tiles };
  }
  const ratios = row.reduce((sum, job) => sum + ratioOf(job), 0);
  const filling = (width - (row.length - 1) * gap) / ratios;
  const imageHeight = Math.min(isLast ? rowHeight : filling, rowHeight * maxStretch, filling);
  const tiles = row.map((job) => ({ job, width: ratioOf(job) * imageHeight }));
  return { kind: 'row', key, height: imageHeight + captionHeight + rowGap, imageHeight, tiles };
}

/** The lines that are near the visible part, and the heights of the parts above and below them. */
export interface Window {
  readonly lines: readonly Line[];
  readonly above: number;
  readonly below: number;
}

/** Returns the lines between two offsets from the top of the gallery. */
export function windowOf(lines: readonly Line[], from: number, to: number): Window {
  let offset = 0;
  let above = 0;
  let below = 0;
  const shown: Line[] = [];
  for (const line of lines) {
    const end = offset + line.height;
    if (end < from) above = end;
    else if (offset > to) below += line.height;
    else shown.push(line);
    offset = end;
  }
  return { lines: shown, above, below };
}

/** Returns the offset of the row with a job from the top of the gallery, and its height; null if no row has it. */
export function placeOf(lines: readonly Line[], id: string): { top: number; height: number } | null {
  let top = 0;
  for (const line of lines) {
    if (line.kind === 'row' && line.tiles.some(({ job }) => job.id === id))
      return { top, height: line.height };
    top += line.height;
  }
  return null;
}

/** Returns the job that an arrow key leads to. */
export function neighborOf(lines: readonly Line[], id: string | null, key: string): string | null {
  const rows = lines.flatMap((line) => (line.kind === 'row' ? [line.tiles] : []));
  const all = rows.flat().map(({ job }) => job.id);
  const at = id === null ? -1 : all.indexOf(id);
  if (at < 0) return all[0] ?? null;
  if (key === 'ArrowRight') return all[at + 1] ?? null;
  if (key === 'ArrowLeft') return all[at - 1] ?? null;
  const y = rows.findIndex((tiles) => tiles.some(({ job }) => job.id === id));
  const next = rows[key === 'ArrowDown' ? y + 1 : y - 1];
  if (!next) return null;
  const center = centerOf(rows[y] ?? [], id);
  const distance = (each: string) => Math.abs(centerOf(next, each) - center);
  return next.map(({ job }) => job.id).sort((a, b) => distance(a) - distance(b))[0] ?? null;
}

function centerOf(tiles: readonly { readonly job: ImageJob; readonly width: number }[], id: string | null) {
  let left = 0;
  for (const { job, width } of tiles) {
    if (job.id === id) return left + width / 2;
    left += width + gap;
  }
  return left;
}
