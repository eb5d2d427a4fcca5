import { AppError } from '../../domain/errors.ts';
import { type ImageJob, isEnhancement } from '../../domain/image-job.ts';
import type { JobChange, JobChanges, Signals } from '../../domain/ports.ts';
import type { GetJob } from './get-job.ts';
import { type ImageMoment, momentsOf } from './stream-job-events.ts';

interface Deps {
  readonly changes: JobChanges;
  readonly getJob: Pick<GetJob, 'get'>;
  readonly signals: Pick<Signals, 'onTenantChange'>;
}

/** A moment of any job of a tenant, with the id that resumes the stream after it. */
export interface TenantMoment {
  readonly eventId: string;
  readonly moment: ImageMoment;
}

/** Position in the stream: an entry of the log, and the number of its last moment that was sent. */
interface Position {
  readonly position: string;
  readonly no: number;
}

/** Exceeds the number of every moment. */
const afterAllMoments = 999_999;

/** Messages may be lost, and a submission sends none. */
const pollMs = 1_000;
const renewMs = 60_000;
const pageSize = 100;

/**
 * Streams the moments of all jobs of a tenant in the order of their writes, until `signal` aborts. Resumes after
 * `lastEventId` if it is at most an hour old and not in the future; otherwise the stream starts now. Moments of erased jobs and of enhancements are
 * skipped. While the store is unavailable the stream waits.
 *
 * The log of the tenant is open when the returned promise resolves: the stream contains every change from then on.
 *
 * @throws AppError `store_unavailable` if the log cannot be opened
 */
export function createStreamTenantEvents(deps: Deps) {
  async function momentsOfChange(tenant: string, change: JobChange): Promise<readonly ImageMoment[]> {
    const job = change.jobId === null ? null : await findJob(deps, tenant, change.jobId);
    return job && !isEnhancement(job) ? momentsOf(job).slice(change.from, change.to) : [];
  }

  async function* stream(
    tenant: string,
    from: Position,
    signal: AbortSignal,
  ): AsyncGenerator<TenantMoment, void, undefined> {
    const wait = createWait(deps.signals, tenant, signal);
    try {
      const renewal = createRenewal(() => deps.changes.open(tenant));
      let { position, no } = from;
      while (!signal.aborted) {
        wait.arm();
        await renewal.whenDue();
        const changes = (await orUnavailable(deps.changes.read(tenant, position, pageSize))) ?? [];
        let isComplete = true;
        for (const change of changes) {
          const moments = await orUnavailable(momentsOfChange(tenant, change));
          isComplete = moments !== null;
          if (!moments) break;
          // The read starts with the entry of the last event, of which some moments were sent.
          const sentNo = change.position === position ? no : 0;
          position = change.position;
          for (const moment of moments.filter((each) => each.no > sentNo)) {
            no = moment.no;
            yield { eventId: `${position}-${no}`, moment };
          }
          no = afterAllMoments;
        }
        if (!isComplete || changes.length < pageSize) await wait.next();
      }
    } finally {
      wait.stop();
    }
  }

  return async (tenant: string, lastEventId: string | undefined) => {
    const end = await deps.changes.open(tenant);
    const last = parseEventId(lastEventId);
    // A position after the end would skip future events.
    const from = last && !isAfter(last.position, end) ? last : { position: end, no: afterAllMoments };
    return {
      /** Resumes a stream that was cut before its first event. */
      startId: `${from.position}-${from.no}`,
      open: (signal: AbortSignal) => stream(tenant, from, signal),
    };
  };
}
export type StreamTenantEvents = ReturnType<typeof createStreamTenantEvents>;

/** Renews the life of the log at intervals, as long as it has a listener. */
function createRenewal(renew: () => Promise<unknown>) {
  let renewedAt = performance.now();
  return {
    async whenDue() {
      if (performance.now() - renewedAt < renewMs) return;
      if ((await orUnavailable(renew())) !== null) renewedAt = performance.now();
    },
  };
}

/** Creates the pause between two reads. It ends with a change, after `pollMs` or with the signal. */
function createWait(signals: Deps['signals'], tenant: string, signal: AbortSignal) {
  let wake = () => {};
  let woken: Promise<void> = Promise.resolve();
  const stopListening = signals.onTenantChange(tenant, () => wake());
  const onAbort = () => wake();
  signal.addEventListener('abort', onAbort);
  return {
    /** Listening starts before the read, so that no change falls between read and pause. */
    arm() {
      woken = new Promise((resolve) => {
        wake = resolve;
      });
    },
    async next() {
      if (signal.aborted) return;
      const timer = setTimeout(() => wake(), pollMs);
      await woken;
      clearTimeout(timer);
    },
    stop() {
      stopListening();
      signal.removeEventListener('abort', onAbort);
    },
  };
}

function parseEventId(text: string | undefined): Position | null {
  const [, position, no] = /^(\d{1,16}-\d{1,10})-(\d{1,6})$/.exec(text ?? '') ?? [];
  return position === undefined ? null : { position, no: Number(no) };
}

/** Returns whether a position of the log is after another one. */
function isAfter(position: string, other: string): boolean {
  const [ms = 0n, no = 0n] = position.split('-').map(BigInt);
  const [otherMs = 0n, otherNo = 0n] = other.split('-').map(BigInt);
  return ms > otherMs || (ms === otherMs && no > otherNo);
}

/** Returns `null` for an erased job. @throws AppError `store_unavailable` */
async function findJob({ getJob }: Deps, tenant: string, id: string): Promise<ImageJob | null> {
  try {
    return await getJob.get(tenant, id);
  } catch (error) {
    if (error instanceof AppError && (error.code === 'not_found' || error.code === 'erased')) return null;
    throw error;
  }
}

/** Returns `null` if the store is unavailable. */
async function orUnavailable<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AppError && error.code === 'store_unavailable') return null;
    throw error;
  }
}
