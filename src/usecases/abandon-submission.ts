import { AppError } from '../domain/errors.ts';
import { finish, type ImageJob, type Retention } from '../domain/image-job.ts';
import type { Clock, Log, TaskQueue } from '../domain/ports.ts';
import type { ChangeImage } from './change-image.ts';

interface Deps {
  change: ChangeImage;
  imageQueue: TaskQueue;
  sleep: (ms: number) => Promise<void>;
  clock: Clock;
  log: Log;
  retentionOf: (job: ImageJob) => Retention;
}

/** A job that may or may not be written. */
interface Doubtful {
  readonly job: ImageJob;
  /** How often the store has answered that it is not there. */
  missed: number;
  dueMs: number;
}

const roundPauseMs = 500;
/** Until the next look, after each at which it was not there: a connection that broke may still hold it for a while. */
const lookAgainMs = [500, 1_000, 2_000, 5_000, 10_000];
const looksAtOnce = 100;
/** Of one tenant; what is ordered beyond that in one outage may be made for nobody. */
const mostDoubtful = 10_000;

/**
 * Takes back a job whose submission got no answer from the store: its caller was told 503 and has no key to find it by,
 * so nobody would ever want what it costs. A store that hangs carries out what it was sent once it goes on, so looks that
 * it does not answer do not count, and the first one that it answers comes before the reconciler gives the job a task.
 * Best effort: a process that dies meanwhile takes nothing back.
 */
export function createAbandonSubmission(deps: Deps) {
  const doubtful = new Map<string, Set<Doubtful>>();

  /** Looks for a job once, and takes it back where it is found. */
  async function look({ job }: Doubtful): Promise<'away' | 'missing' | 'settled'> {
    try {
      const found = await deps.change(job.tenant, job.id, (current) =>
        current.status === 'queued'
          ? finish(current, 'canceled', { nowMs: deps.clock(), retention: deps.retentionOf(current) })
          : null,
      );
      if (!found) return 'missing';
      await deps.imageQueue.remove(job.id).catch(() => false);
      deps.log.warn({ job_id: job.id, status: found.status }, 'job taken back: its caller was told 503');
      return 'settled';
    } catch (error) {
      if (error instanceof AppError && error.code === 'store_unavailable') return 'away';
      deps.log.error({ err: error, job_id: job.id }, 'job not taken back, although its caller was told 503');
      return 'settled';
    }
  }

  /** Looks at all whose time has come, up to the first that the store does not answer. */
  async function lookAround(jobs: Set<Doubtful>): Promise<void> {
    const due = [...jobs].filter(({ dueMs }) => dueMs <= deps.clock());
    for (let i = 0; i < due.length; i += looksAtOnce) {
      const some = due.slice(i, i + looksAtOnce);
      const seen = await Promise.all(some.map(look));
      for (const [at, doubt] of some.entries()) {
        const pauseMs = seen[at] === 'missing' ? lookAgainMs[doubt.missed++] : undefined;
        if (pauseMs !== undefined) doubt.dueMs = deps.clock() + pauseMs;
        else if (seen[at] !== 'away') jobs.delete(doubt);
      }
      if (seen.includes('away')) return;
    }
  }

  async function settle(tenant: string, jobs: Set<Doubtful>): Promise<void> {
    while (jobs.size > 0) {
      await deps.sleep(roundPauseMs);
      await lookAround(jobs);
    }
    doubtful.delete(tenant);
  }

  return (job: ImageJob): void => {
    const known = doubtful.get(job.tenant);
    const jobs = known ?? new Set();
    if (jobs.size >= mostDoubtful) return;
    jobs.add({ job, missed: 0, dueMs: deps.clock() });
    if (known) return;
    doubtful.set(job.tenant, jobs);
    void settle(job.tenant, jobs);
  };
}
export type AbandonSubmission = ReturnType<typeof createAbandonSubmission>;
