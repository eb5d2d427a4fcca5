import type { Cluster, Redis } from 'ioredis';
import type { ImageJob } from '../../domain/image-job.ts';
import { parentsOf } from '../../domain/input-image.ts';
import type { JobList, JobListQuery, OnUnreadable } from '../../domain/ports.ts';
import { timePart } from '../../lib/ids.ts';
import type { Keys } from './keys.ts';
import { decodeRecord } from './record-codec.ts';

/** Maximum number of records read for one page. Beyond it, or beyond the bytes, the page ends early with a cursor. */
const maxScanned = 1_000;
/** Limits the time for which a page of large records blocks other reads on the same connection. */
const maxPageBytes = 2 * 1024 * 1024;
const maxConcurrentReads = 10;

/**
 * Creates the list of jobs. It walks the narrowest index of a query, or one index per name of a model, and tests the records
 * for the other conditions. The cost of a page depends on the page, not on the number of stored jobs.
 */
export function createJobList(redis: Redis | Cluster, keys: Keys, onUnreadable?: OnUnreadable) {
  function indexesFor(tenant: string, query: JobListQuery): string[] {
    if (query.parent !== undefined) return [keys.children(tenant, query.parent)];
    const [pair] = Object.entries(query.metadata ?? {});
    if (pair) return [keys.metadata(tenant, pair[0], pair[1])];
    if (query.status) return [keys.status(tenant, query.status)];
    if (query.models) return query.models.map((name) => keys.model(tenant, name));
    return [keys.jobs(tenant)];
  }

  /** Returns the highest ids between two bounds in any of the indexes, highest first. */
  async function newest(
    indexes: readonly string[],
    { highest, lowest }: { readonly highest: string; readonly lowest: string },
    max: number,
  ) {
    const lists = await Promise.all(
      indexes.map((index) => redis.zrevrangebylex(index, highest, lowest, 'LIMIT', 0, max)),
    );
    return lists.flat().sort().reverse().slice(0, max);
  }

  function readableOrNull(tenant: string, id: string, text: string): ImageJob | null {
    try {
      return decodeRecord(tenant, id, text);
    } catch (error) {
      onUnreadable?.({ kind: 'job', tenant, id, error });
      return null;
    }
  }

  /** Reads the records of ids, a few at a time, each with its size in bytes. An unreadable record is `null`. */
  async function* records(tenant: string, ids: readonly string[]) {
    for (let i = 0; i < ids.length; i += maxConcurrentReads) {
      const some = ids.slice(i, i + maxConcurrentReads);
      const texts = await redis.mget(...some.map((id) => keys.job(tenant, id)));
      for (const [at, id] of some.entries()) {
        const text = texts[at];
        if (text) yield { id, job: readableOrNull(tenant, id, text), bytes: Buffer.byteLength(text) };
      }
    }
  }

  return async function list(tenant: string, query: JobListQuery): Promise<JobList> {
    const indexes = indexesFor(tenant, query);
    const lowest = query.createdAfterMs === undefined ? '-' : `(img_${timePart(query.createdAfterMs)}~`;
    let highest = upperBound(query);
    const jobs: ImageJob[] = [];
    let pageBytes = 0;
    let lastId: string | undefined;
    for (let scanned = 0; scanned < maxScanned; ) {
      const wanted = query.limit - jobs.length + 1;
      const ids = await newest(indexes, { highest, lowest }, wanted);
      if (ids.length === 0) return { jobs, nextBeforeId: null };
      for await (const { id, job, bytes } of records(tenant, ids)) {
        pageBytes += bytes;
        if (pageBytes > maxPageBytes && lastId) return { jobs, nextBeforeId: lastId };
        lastId = id;
        if (!job || !matches(job, query)) continue;
        if (jobs.length === query.limit) return { jobs, nextBeforeId: jobs.at(-1)?.id ?? null };
        jobs.push(job);
      }
      if (ids.length < wanted) return { jobs, nextBeforeId: null };
      scanned += ids.length;
      highest = `(${ids.at(-1)}`;
    }
    return { jobs, nextBeforeId: highest.slice(1) };
  };
}

function upperBound(query: JobListQuery): string {
  const bounds = [
    ...(query.beforeId === undefined ? [] : [query.beforeId]),
    ...(query.createdBeforeMs === undefined ? [] : [`img_${timePart(query.createdBeforeMs)}`]),
  ].sort();
  return bounds[0] === undefined ? '+' : `(${bounds[0]}`;
}

function matches(job: ImageJob, query: JobListQuery): boolean {
  // The job may have been erased after the index was read.
  if (job.erasedAt !== undefined) return false;
  if (query.status && job.status !== query.status) return false;
  if (query.parent !== undefined && !parentsOf(job).includes(query.parent)) return false;
  if (query.models && !query.models.includes(job.request?.model ?? '')) return false;
  return Object.entries(query.metadata ?? {}).every(([key, value]) => job.request?.metadata?.[key] === value);
}
