import { AppError } from '../../domain/errors.ts';
import {
  hasThumbnail,
  lacksThumbnail,
  type StoredImage,
  thumbnailKeyOf,
  thumbnailType,
} from '../../domain/image.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import { addThumbnail, lacksThumbnails } from '../../domain/job-thumbnails.ts';
import type { Clock, ImageStorage, JobKey, JobStore, Log, ThumbnailMaker } from '../../domain/ports.ts';
import { createSharedSlots } from '../../lib/tenant-slots.ts';
import type { UpdateJob } from '../jobs/update-job.ts';

/** Everything that thumbnails need. */
export interface MakeThumbnailsDeps {
  records: Pick<JobStore, 'get' | 'tenants' | 'withoutThumbnails'>;
  storage: Pick<ImageStorage, 'read' | 'put' | 'remove'>;
  maker: ThumbnailMaker;
  updateJob: UpdateJob;
  isDraining: () => boolean;
  clock: Clock;
  log: Log;
}

/**
 * Jobs that wait for their thumbnails in this process: at most as many of a tenant as places are free, alone 100. Thumbnails
 * of further jobs are made by `makeMissing`.
 */
const maxWaiting = 200;
/** Age of a job without thumbnails, in milliseconds, from which on no process is likely to be making them. */
const overdueMs = 60_000;
/** Age at which they are not made any more, so that a lasting fault does not occupy the workers. */
const tooOldMs = 3_600_000;
const pageSize = 50;

/** Makes the thumbnails of images after their job has succeeded. They are a convenience: a fault never affects a job. */
export function createMakeThumbnails(deps: MakeThumbnailsDeps) {
  const { records, storage, maker, updateJob, clock, log } = deps;
  const places = createSharedSlots(maxWaiting);
  /** Waiting jobs of each tenant, with the functions that free their places. The next turn is that of the first tenant. */
  const waiting = new Map<string, Map<string, () => void>>();
  let isWorking = false;

  async function makeOne(job: ImageJob, image: StoredImage): Promise<void> {
    const stored = await storage.read(image.storageKey);
    if (!stored) return;
    const made = await maker.make(stored.body);
    const key = thumbnailKeyOf(job, image);
    if (made) await storage.put(key, made.bytes, { contentType: thumbnailType });
    const outcome = { thumbhash: made?.hash ?? '', nowMs: clock() };
    const now = await updateJob(job, (current) => addThumbnail(current, image.index, outcome));
    // The job was erased while its thumbnail was made.
    const recorded = now?.images.find(({ index }) => index === image.index);
    if (made && !(recorded && hasThumbnail(recorded))) await storage.remove(key);
  }

  async function make({ tenant, id }: JobKey): Promise<void> {
    const job = await records.get(tenant, id);
    if (!job || !lacksThumbnails(job)) return;
    try {
      for (const image of job.images.filter(lacksThumbnail)) await makeOne(job, image);
    } catch (error) {
      // Not thrown, because one faulty image must not keep other jobs from their thumbnails.
      const level = error instanceof AppError ? 'warn' : 'error';
      log[level]({ err: error, ...logFieldsOf(job) }, 'thumbnail not made, trying again later');
    }
  }

  /** Returns the next job. Tenants are served in turns, so that many jobs of one do not delay those of others. */
  function takeNext(): JobKey | undefined {
    for (const [tenant, jobs] of waiting) {
      waiting.delete(tenant);
      for (const [id, leave] of jobs) {
        jobs.delete(id);
        leave();
        if (jobs.size > 0) waiting.set(tenant, jobs);
        return { tenant, id };
      }
    }
    return undefined;
  }

  async function work(): Promise<void> {
    isWorking = true;
    try {
      for (let job = takeNext(); job && !deps.isDraining(); job = takeNext()) {
        const { id } = job;
        await make(job).catch((error) => log.error({ err: error, job_id: id }, 'thumbnail not made'));
      }
    } finally {
      isWorking = false;
    }
  }

  return {
    /** Makes the thumbnails of a job soon. Returns at once. */
    soon({ tenant, id }: JobKey): void {
      const jobs = waiting.get(tenant) ?? new Map<string, () => void>();
      const leave = jobs.has(id) ? null : places.enter(tenant);
      if (!leave) return;
      waiting.set(tenant, jobs.set(id, leave));
      if (!isWorking) void work();
    },

    /** Makes thumbnails that a crash or an outage prevented. */
    async makeMissing(): Promise<void> {
      const nowMs = clock();
      const range = { fromMs: nowMs - tooOldMs, toMs: nowMs - overdueMs, limit: pageSize };
      for (const tenant of await records.tenants()) {
        for (const id of await records.withoutThumbnails(tenant, range)) {
          if (deps.isDraining()) return;
          await make({ tenant, id });
        }
      }
    },
  };
}
