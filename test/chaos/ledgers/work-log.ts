import type { LogLine } from '../fleet/member.ts';

/** One run of a job by one process, as their logs tell it. */
export interface Run {
  readonly jobId: string;
  /** Process id of the worker. */
  readonly life: number;
  readonly takenAtMs: number;
  /**
   * `released`: ended or put back in good order. `failed`: broken off by an error. `lost`: taken over by a later run.
   * `open`: nothing more was heard of it.
   */
  readonly end: 'released' | 'failed' | 'lost' | 'open';
}

/** A job whose worker was killed while it ran it. */
export interface Interruption {
  readonly jobId: string;
  readonly killedAtMs: number;
  /** When somebody ran it again; `null` when nobody did. */
  readonly againAtMs: number | null;
}

interface Note {
  readonly kind: 'taken' | 'released' | 'failed';
  readonly life: number;
  readonly atMs: number;
}

const kinds: Readonly<Record<string, Note['kind']>> = {
  'job taken': 'taken',
  'job ended': 'released',
  'job put back': 'released',
  'task failed, will be tried again': 'failed',
};

/** What the logs of all workers say about who ran which job when. */
export interface WorkLog {
  note(line: LogLine, life: number): void;
  recordKill(life: number, atMs: number): void;
  /** Jobs that a process runs now. */
  heldBy(life: number): string[];
  runsOf(jobId: string): Run[];
  crashCount(): Interruption[];
}

export function createWorkLog(): WorkLog {
  const notes = new Map<string, Note[]>();
  const kills: { life: number; atMs: number }[] = [];
  const inOrder = (jobId: string) => (notes.get(jobId) ?? []).toSorted((a, b) => a.atMs - b.atMs);

  function runsOf(jobId: string): Run[] {
    const all = inOrder(jobId);
    return all.flatMap(({ kind, life, atMs }, place) => {
      if (kind !== 'taken') return [];
      const next = all.slice(place + 1).find((each) => each.kind === 'taken' || each.life === life);
      const end = !next ? 'open' : next.kind === 'taken' ? 'lost' : next.kind;
      return [{ jobId, life, takenAtMs: atMs, end }];
    });
  }

  return {
    note({ msg, time, job_id }, life) {
      const kind = kinds[msg];
      if (!kind || !job_id) return;
      const known = notes.get(job_id) ?? [];
      notes.set(job_id, known);
      known.push({ kind, life, atMs: Date.parse(time) });
    },
    recordKill: (life, atMs) => void kills.push({ life, atMs }),
    heldBy: (life) =>
      [...notes.keys()].filter((jobId) =>
        runsOf(jobId).some((run) => run.life === life && run.end === 'open'),
      ),
    runsOf,
    crashCount: () =>
      [...notes.keys()].flatMap((jobId) => {
        const runs = runsOf(jobId);
        return kills.flatMap(({ life, atMs }) => {
          const place = runs.findIndex(
            (run) => run.life === life && run.takenAtMs <= atMs && (run.end === 'lost' || run.end === 'open'),
          );
          const again = runs[place + 1];
          if (place < 0 || (again && again.takenAtMs < atMs)) return [];
          return [{ jobId, killedAtMs: atMs, againAtMs: again?.takenAtMs ?? null }];
        });
      }),
  };
}
