import { AppError } from '../../domain/errors.ts';
import { type ImageJob, isTerminal, type Retention } from '../../domain/image-job.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import { finish, requestCancel } from '../../domain/job-moves.ts';
import type { Clock, Log, TaskQueue } from '../../domain/ports.ts';
import type { UpdateJob } from './update-job.ts';

interface Deps {
  updateJob: UpdateJob;
  jobQueue: TaskQueue;
  sleep: (ms: number) => Promise<void>;
  isDraining: () => boolean;
  clock: Clock;
  log: Log;
  retentionOf: (job: ImageJob) => Retention;
}

/** A job that may or may not be written. */
interface UnconfirmedSubmission {
  readonly tenant: string;
  readonly id: string;
  /** How often the store has answered that it is not there. */
  missed: number;
  dueMs: number;
}

const roundPauseMs = 500;
/** Until the next look, after each at which it was not there: a connection that broke may still hold it for a while. */
const lookAgainMs = [500, 1_000, 2_000, 5_000, 10_000];
const maxConcurrentChecks = 100;
/** What is ordered beyond that in one outage may be made for nobody. */
const maxUnconfirmed = 10_000;

/**
 * Takes back a job whose submission got no answer from the store: its caller was told 503 and has no key to find it by,
 * so nobody would ever want what it costs. A store that hangs carries out what it was sent once it goes on, so looks that
 * it does not answer do not count; the reconciler leaves a job that was written so late alone for some seconds.
 * Best effort: a process that ends meanwhile takes nothing back.
 */
export function createCancelUnconfirmedJob(deps: Deps) {
  const unconfirmed = new Set<UnconfirmedSubmission>();

  /** Ends a job that nobody has begun, and asks whoever has begun it to stop. */
  function takenBack(job: ImageJob): ImageJob | null {
    if (isTerminal(job.status)) return null;
    const nowMs = deps.clock();
    if (job.status === 'running') return requestCancel(job, nowMs);
    return finish(job, 'canceled', { nowMs, retention: deps.retentionOf(job) });
  }

  async function look({ tenant, id }: UnconfirmedSubmission): Promise<'away' | 'missing' | 'settled'> {
    try {
      const found = await deps.updateJob(tenant, id, takenBack);
      if (!found) return 'missing';
      await deps.jobQueue.remove(id).catch(() => false);
      deps.log.warn(
        { ...logFieldsOf(found), status: found.status },
        'unconfirmed job canceled (caller received 503)',
      );
      return 'settled';
    } catch (error) {
      if (error instanceof AppError && error.code === 'store_unavailable') return 'away';
      deps.log.error({ err: error, job_id: id }, 'unconfirmed job not canceled (caller received 503)');
      return 'settled';
    }
  }

  function note(doubt: UnconfirmedSubmission, seen: 'away' | 'missing' | 'settled'): void {
    if (seen === 'away') return;
    const pauseMs = seen === 'missing' ? lookAgainMs[doubt.missed] : undefined;
    if (pauseMs === undefined) unconfirmed.delete(doubt);
    else doubt.dueMs = deps.clock() + pauseMs;
    doubt.missed += 1;
  }

  /** Looks at all whose time has come, except those of tenants whose records were found to be away. */
  async function lookAround(): Promise<void> {
    const away = new Set<string>();
    const due = [...unconfirmed].filter(({ dueMs }) => dueMs <= deps.clock());
    for (let i = 0; i < due.length; i += maxConcurrentChecks) {
      const some = due.slice(i, i + maxConcurrentChecks).filter(({ tenant }) => !away.has(tenant));
      await Promise.all(
        some.map(async (doubt) => {
          const seen = await look(doubt);
          if (seen === 'away') away.add(doubt.tenant);
          note(doubt, seen);
        }),
      );
    }
  }

  let settling = false;

  async function settle(): Promise<void> {
    while (unconfirmed.size > 0 && !deps.isDraining()) {
      await deps.sleep(roundPauseMs);
      await lookAround();
    }
    settling = false;
  }

  return ({ tenant, id }: ImageJob): void => {
    if (unconfirmed.size >= maxUnconfirmed) return;
    unconfirmed.add({ tenant, id, missed: 0, dueMs: deps.clock() });
    if (settling) return;
    settling = true;
    void settle();
  };
}
export type CancelUnconfirmedJob = ReturnType<typeof createCancelUnconfirmedJob>;
