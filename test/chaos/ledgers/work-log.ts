import type { LogLine } from '../fleet/member.ts';

/** One run of a job by one process, read from the logs. */
export interface Run {
  readonly jobId: string;
  /** Process id of the worker. */
  readonly life: number;
  readonly startedAtMs: number;
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
  readonly kind: 'started' | 'released' | 'failed';
  readonly life: number;
  readonly atMs: number;
}

/** Log messages of the service by their meaning. `compareLedgers` fails if none of them names a run of a job. */
const kinds: Readonly<Record<string, Entry['kind']>> = {
  'job run started': 'started',
  'job ended': 'released',
  'job returned to the queue': 'released',
  'task failed, retrying': 'failed',
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
      if (kind !== 'started') return [];
      const next = all.slice(index + 1).find((each) => each.kind === 'started' || each.life === life);
      const end = !next ? 'open' : next.kind === 'started' ? 'lost' : next.kind;
      return [{ jobId, life, startedAtMs: atMs, end }];
    });
  }

  return {
    record({ msg, time, job_id, id }, life) {
      const kind = kinds[msg];
      const jobId = job_id ?? id;
      if (!kind || !jobId) return;
      const known = entries.get(jobId) ?? [];
      entries.set(jobId, known);
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
            (run) =>
              run.life === life && run.startedAtMs <= atMs && (run.end === 'lost' || run.end === 'open'),
          );
          const again = runs[index + 1];
          if (index < 0 || (again && again.startedAtMs < atMs)) return [];
          return [{ jobId, killedAtMs: atMs, againAtMs: again?.startedAtMs ?? null }];
        });
      }),
  };
}
