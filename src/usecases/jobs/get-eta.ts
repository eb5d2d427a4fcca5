import type { ImageJob } from '../../domain/image-job.ts';
import type { ImageRequest } from '../../domain/image-request.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type { Clock, JobStore } from '../../domain/ports.ts';

/** Seconds from the submission to the end. */
export interface Eta {
  readonly p50: number;
  readonly p90: number;
}

interface Deps {
  records: Pick<JobStore, 'list'>;
  catalogue: Pick<ModelCatalogue, 'find'>;
  clock: Clock;
}

/** Only recent jobs tell how fast provider and queue are now. */
const maxAgeMs = 3_600_000;
const maxJobs = 50;
const minJobs = 5;

/**
 * Returns the time that the newest jobs like a request took, from their submission to their end: succeeded jobs of the same
 * tenant in the last hour, with the same model, quality and number of images.
 *
 * @returns `null` if there are fewer than five such jobs. No default would be honest.
 */
export function createGetEta({ records, catalogue, clock }: Deps) {
  return async (tenant: string, request: ImageRequest): Promise<Eta | null> => {
    const model = catalogue.find(request.model);
    const { jobs } = await records.list(tenant, {
      models: model ? [model.id, ...model.aliases] : [request.model],
      createdAfterMs: clock() - maxAgeMs,
      limit: maxJobs,
    });
    const seconds = jobs
      .filter((job) => job.status === 'succeeded' && isAlike(job, request))
      .map(({ createdAt, finishedAt = createdAt }) => (finishedAt - createdAt) / 1000)
      .sort((a, b) => a - b);
    if (seconds.length < minJobs) return null;
    return { p50: quantile(seconds, 0.5), p90: quantile(seconds, 0.9) };
  };
}
export type GetEta = ReturnType<typeof createGetEta>;

const isAlike = (job: ImageJob, { n, quality, enhance }: ImageRequest) =>
  job.request?.n === n && job.request.quality === quality && job.request.enhance === enhance;

/** Returns a quantile by the nearest rank, in tenths of a second. */
const quantile = (sorted: readonly number[], share: number) =>
  Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? 0) * 10) / 10;
