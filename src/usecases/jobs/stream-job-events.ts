import { AppError } from '../../domain/errors.ts';
import {
  type ImageJob,
  type JobStage,
  type JobStatus,
  jobStatuses,
  type Moment,
  shownStage,
} from '../../domain/image-job.ts';
import { isKnown } from '../../domain/open.ts';
import type { Clock, Signals } from '../../domain/ports.ts';
import { knownOr } from '../../domain/stored.ts';
import { eventOf } from '../../domain/webhook-event.ts';
import type { GetJob } from './get-job.ts';
import { waitForJob } from './wait-for-job.ts';

/** One moment of a job's life. */
export interface ImageMoment {
  /** Number within the job, from 1. A client resumes a stream with this number as the event id. */
  readonly no: number;
  readonly type: string;
  readonly status: JobStatus;
  readonly stage: JobStage | null;
  readonly at: number;
  /** Index of the image that was stored at this moment, or whose preview was. */
  readonly image?: number;
  /** Number of the preview that was stored at this moment. */
  readonly partial?: number;
  /** The job as it was read for this moment. */
  readonly job: ImageJob;
}

/**
 * Streams the moments of a job from any point of its life to its end. The record holds the history, so that any machine can
 * resume a stream. The stream ends when the job has ended or was erased, or when `signal` aborts. While the store is
 * unavailable the stream waits.
 */
export function createStreamJobEvents(deps: {
  getJob: Pick<GetJob, 'get'>;
  signals: Pick<Signals, 'onChange'>;
  clock: Clock;
}) {
  return async function* watch(
    first: ImageJob,
    afterNo: number,
    signal: AbortSignal,
  ): AsyncGenerator<ImageMoment, void, undefined> {
    let last = first;
    async function read(): Promise<ImageJob | null> {
      try {
        last = await deps.getJob.get(first.tenant, first.id);
        return last;
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        if (error.code === 'store_unavailable') return last;
        if (error.code === 'not_found' || error.code === 'erased') return null;
        throw error;
      }
    }
    let sent = afterNo;
    for await (const job of waitForJob({ ...deps, read }, first, { signal })) {
      for (const moment of momentsOf(job).slice(sent)) {
        yield moment;
        sent = moment.no;
      }
    }
  };
}
export type StreamJobEvents = ReturnType<typeof createStreamJobEvents>;

/** Returns every moment in the history of a job. */
export function momentsOf(job: ImageJob): ImageMoment[] {
  return job.history.map((moment, i) => {
    const isChange = job.history[i - 1]?.status !== moment.status;
    return {
      no: i + 1,
      type: typeOf(moment, isChange),
      status: knownOr(jobStatuses, moment.status, 'running'),
      stage: shownStage(moment.stage),
      at: moment.at,
      ...(moment.image === undefined ? {} : { image: moment.image }),
      ...(moment.partial === undefined ? {} : { partial: moment.partial }),
      job,
    };
  });
}

function typeOf({ status, partial }: Moment, isChange: boolean): string {
  if (partial !== undefined) return 'image.partial';
  return isChange && isKnown(jobStatuses, status) ? eventOf(status) : 'image.progress';
}
