import type { Cluster, Redis } from 'ioredis';
import type { ImageJob } from '../../domain/image-job.ts';
import type { JobList, JobListQuery } from '../../domain/ports.ts';
import { timePart } from '../../lib/ids.ts';
import type { Keys } from './keys.ts';
import { decodeRecord } from './record-codec.ts';

/** Most records looked at for one page; beyond it, or beyond its bytes, it ends early and its cursor goes on from there. */
const maxScanned = 1_000;
/** So that a page of the largest records does not hold up what others read over the same connection. */
const maxPageBytes = 2 * 1024 * 1024;
const maxConcurrentReads = 10;

/**
 * Walks the narrowest index that a query names, or the few of one model's names, and tests the records for the rest of
 * it, so that the cost of a page depends on the page, not on how many jobs are kept.
 */
export function createJobList(redis: Redis | Cluster, keys: Keys) {
  function indexesFor(tenant: string, query: JobListQuery): string[] {
    const [pair] = Object.entries(query.metadata ?? {});
    if (pair) return [keys.metadata(tenant, pair[0], pair[1])];
    if (query.status) return [keys.status(tenant, query.status)];
    if (query.models) return query.models.map((name) => keys.model(tenant, name));
    return [keys.jobs(tenant)];
  }

  /** The highest ids between two bounds in any of the indexes, highest first. */
  async function newest(indexes: readonly string[], highest: string, lowest: string, max: number) {
    const lists = await Promise.all(
      indexes.map((index) => redis.zrevrangebylex(index, highest, lowest, 'LIMIT', 0, max)),
    );
    return lists.flat().sort().reverse().slice(0, max);
  }

  /** The records of ids, a few at a time, each with its size. */
  async function* records(tenant: string, ids: readonly string[]) {
    for (let i = 0; i < ids.length; i += maxConcurrentReads) {
      const some = ids.slice(i, i + maxConcurrentReads);
      const texts = await redis.mget(...some.map((id) => keys.job(tenant, id)));
      for (const [place, id] of some.entries()) {
        const text = texts[place];
        if (text) yield { job: decodeRecord(tenant, id, text), bytes: Buffer.byteLength(text) };
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
      const ids = await newest(indexes, highest, lowest, wanted);
      if (ids.length === 0) return { jobs, nextBeforeId: null };
      for await (const { job, bytes } of records(tenant, ids)) {
        pageBytes += bytes;
        if (pageBytes > maxPageBytes && lastId) return { jobs, nextBeforeId: lastId };
        lastId = job.id;
        if (!matches(job, query)) continue;
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
  // Erased between the reading of the index and of the record.
  if (job.erasedAt !== undefined) return false;
  if (query.status && job.status !== query.status) return false;
  if (query.models && !query.models.includes(job.request?.model ?? '')) return false;
  return Object.entries(query.metadata ?? {}).every(([key, value]) => job.request?.metadata?.[key] === value);
}
