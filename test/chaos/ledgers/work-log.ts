import type { LogLine } from '../fleet/member.ts';

/** One run of a job by one process, read from the logs. */
export interface Run {
  readonly jobId: string;
  /** Process id of the worker. */
  readonly life: number;
  readonly takenAtMs: number;
  /**
   * `released`: ended or put back normally. `failed`: interrupted by an error. `lost`: taken over by a later run. `open`:
   * the log has no end.
   */
  readonly end: 'released' | 'failed' | 'lost' | 'open';
}

/** A job whose worker was killed during the run. */
export interface Interruption {
  readonly jobId: string;
  readonly killedAtMs: number;
  /** Time of the next run; `null` if there was none. */
  readonly againAtMs: number | null;
}

interface Entry {
  readonly kind: 'taken' | 'released' | 'failed';
  readonly life: number;
  readonly atMs: number;
}

const kinds: Readonly<Record<string, Entry['kind']>> = {
  'job taken': 'taken',
  'job ended': 'released',
  'job put back': 'released',
  'task failed, will be tried again': 'failed',
};

/** The runs of all jobs, read from the logs of the workers. */
export interface WorkLog {
  record(line: LogLine, life: number): void;
  recordKill(life: number, atMs: number): void;
  /** Returns the jobs that a process runs now. */
  heldBy(life: number): string[];
  runsOf(jobId: string): Run[];
  interruptions(): Interruption[];
}

export function createWorkLog(): WorkLog {
  const entries = new Map<string, Entry[]>();
  const kills: { life: number; atMs: number }[] = [];
  const inOrder = (jobId: string) => (entries.get(jobId) ?? []).toSorted((a, b) => a.atMs - b.atMs);

  function runsOf(jobId: string): Run[] {
    const all = inOrder(jobId);
    return all.flatMap(({ kind, life, atMs }, index) => {
      if (kind !== 'taken') return [];
      const next = all.slice(index + 1).find((each) => each.kind === 'taken' || each.life === life);
      const end = !next ? 'open' : next.kind === 'taken' ? 'lost' : next.kind;
      return [{ jobId, life, takenAtMs: atMs, end }];
    });
  }

  return {
    record({ msg, time, job_id }, life) {
      const kind = kinds[msg];
      if (!kind || !job_id) return;
      const known = entries.get(job_id) ?? [];
      entries.set(job_id, known);
      known.push({ kind, life, atMs: Date.parse(time) });
    },
    recordKill: (life, atMs) => void kills.push({ life, atMs }),
    heldBy: (life) =>
      [...entries.keys()].filter((jobId) =>
        runsOf(jobId).some((run) => run.life === life && run.end === 'open'),
      ),
    runsOf,
    interruptions: () =>
      [...entries.keys()].flatMap((jobId) => {
        const runs = runsOf(jobId);
        return kills.flatMap(({ life, atMs }) => {
          const index = runs.findIndex(
            (run) => run.life === life && run.takenAtMs <= atMs && (run.end === 'lost' || run.end === 'open'),
          );
          const again = runs[index + 1];
          if (index < 0 || (again && again.takenAtMs < atMs)) return [];
          return [{ jobId, killedAtMs: atMs, againAtMs: again?.takenAtMs ?? null }];
        });
      }),
  };
}
