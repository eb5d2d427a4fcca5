import type { ImageEvent, ImageJob } from '../../api/types.ts';

/** Jobs of the gallery, newest first, and the cursor of the next page. */
export interface JobList {
  readonly jobs: readonly ImageJob[];
  /** New jobs that wait above the list, so that it does not move. */
  readonly waiting: readonly ImageJob[];
  readonly cursor: string | null;
}

export const emptyList: JobList = { jobs: [], waiting: [], cursor: null };

const isNewer = (a: ImageJob, b: ImageJob) => a.updated_at > b.updated_at;

/** Adds a page of older jobs at the end. */
export function addPage(
  list: JobList,
  page: { data: readonly ImageJob[]; next_cursor: string | null },
): JobList {
  const known = new Set([...list.jobs, ...list.waiting].map(({ id }) => id));
  return {
    ...list,
    jobs: [...list.jobs, ...page.data.filter(({ id }) => !known.has(id))],
    cursor: page.next_cursor,
  };
}

/**
 * Merges the newest page, read again. Known jobs are updated. New ones join the list, or wait above it.
 *
 * @param isAtTop whether the newest jobs are visible, so that new ones may appear among them.
 */
export function mergeNewest(list: JobList, page: readonly ImageJob[], isAtTop: boolean): JobList {
  const fresh = new Map(page.map((job) => [job.id, job]));
  const latest = (job: ImageJob) => {
    const other = fresh.get(job.id);
    return other && !isNewer(job, other) ? other : job;
  };
  const known = new Set([...list.jobs, ...list.waiting].map(({ id }) => id));
  const added = page.filter(({ id }) => !known.has(id));
  const waiting = sorted([...added, ...list.waiting.map(latest)]);
  const jobs = list.jobs.map(latest);
  return isAtTop ? { ...list, jobs: sorted([...waiting, ...jobs]), waiting: [] } : { ...list, jobs, waiting };
}

/** Moves the waiting jobs into the list. */
export const showWaiting = (list: JobList): JobList => ({
  ...list,
  jobs: sorted([...list.waiting, ...list.jobs]),
  waiting: [],
});

/**
 * Applies an event to a known job. Returns the same list if the job is unknown.
 *
 * @param status the status that the list shows; null for all.
 */
export function applyEvent(list: JobList, event: ImageEvent, status: string | null = null): JobList {
  if (!list.jobs.some(({ id }) => id === event.id)) return list;
  const jobs = list.jobs.map((job) => (job.id === event.id ? changed(job, event) : job));
  return { ...list, jobs: jobs.filter((job) => status === null || job.status === status) };
}

function changed(job: ImageJob, event: ImageEvent): ImageJob {
  if (event.job) return event.job;
  if (job.finished_at !== null) return job;
  const { image } = event;
  const images = image ? [...job.images.filter(({ index }) => index !== image.index), image] : job.images;
  const { status, stage } = event;
  return { ...job, status, stage, images: [...images].sort((a, b) => a.index - b.index) };
}

/** Replaces one job. */
export const replaceJob = (list: JobList, job: ImageJob): JobList => ({
  ...list,
  jobs: list.jobs.map((each) => (each.id === job.id ? job : each)),
});

/** Removes jobs. */
export const removeJobs = (list: JobList, ids: ReadonlySet<string>): JobList => ({
  ...list,
  jobs: list.jobs.filter(({ id }) => !ids.has(id)),
  waiting: list.waiting.filter(({ id }) => !ids.has(id)),
});

/** Returns the job that gets the focus after others are removed: the next job that stays, otherwise the job before. */
export function focusAfter(jobs: readonly ImageJob[], removed: ReadonlySet<string>): string | null {
  const last = jobs.findLastIndex(({ id }) => removed.has(id));
  const next = jobs.slice(last + 1).find(({ id }) => !removed.has(id));
  const before = jobs.slice(0, Math.max(0, last)).findLast(({ id }) => !removed.has(id));
  return (next ?? before)?.id ?? null;
}

/** Ids contain their time, so newer ones are higher. */
const sorted = (jobs: readonly ImageJob[]) => [...jobs].sort((a, b) => (a.id < b.id ? 1 : -1));
