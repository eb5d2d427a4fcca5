import { AppError } from '../../domain/errors.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import { enterStage } from '../../domain/job-moves.ts';
import type { AnswerHead, AnswerSink, Clock, Spool } from '../../domain/ports.ts';
import type { StoreAhead, StoringAhead } from './early-upload.ts';
import type { Execution } from './job-run.ts';

interface Deps {
  spool: Spool;
  storeAhead: StoreAhead;
  clock: Clock;
}

/** An answer that is brought to safety while it arrives. */
interface KeptAnswer {
  /** Takes the answer; resolves when it is safe, and rejects as the spool does when it will not be. */
  readonly sink: AnswerSink;
  /** Enters a safe answer in the ledger, unless the record is not ours any more. */
  readonly enter: (head: AnswerHead) => Promise<void>;
  /** What is done with the answer on its way; to be ended by the caller. */
  readonly ahead: StoringAhead;
}

/**
 * Brings a paid answer to safety: on the disk, or its picture in the storage, whichever comes first. Meanwhile the ledger
 * learns that the last byte is here.
 */
export function createKeepAnswer(deps: Deps) {
  return (execution: Execution, { no, index }: { no: number; index: number }): KeptAnswer => {
    const { tenant, id: jobId } = execution.job;
    const ahead = deps.storeAhead(execution.job, { no, index }, execution.signal);
    let noted: Promise<void> = Promise.resolve();

    function noteArrival(head: AnswerHead): void {
      noted = unlessOver(
        execution.moveAttempt(no, nameOf(head), (job) =>
          enterStage(withoutRefusals(job), 'storing', deps.clock()),
        ),
      );
      noted.catch(() => {}); // heard of when it is waited for, unless the call fails before
    }

    return {
      ahead,
      async sink(head, body) {
        let arrived = false;
        const arriving = followedBy(body, () => {
          arrived = true;
          noteArrival(head);
        });
        const written = deps.spool.write({ tenant, jobId, attemptNo: no }, head, ahead.watch(arriving));
        // Nobody reads on for a disk that failed. After the last byte the storage may still take the picture.
        written.catch(() => {
          if (!arrived) ahead.end();
        });
        await Promise.any([written, ahead.stored()]).catch(() => written);
      },
      async enter(head) {
        await noted;
        if (!ahead.isStored()) await unlessOver(execution.moveAttempt(no, received(head, deps.clock())));
      },
    };
  };
}
export type KeepAnswer = ReturnType<typeof createKeepAnswer>;

/** The row of a call whose answer is on disk. */
export function received(head: AnswerHead, nowMs: number) {
  return { state: 'received' as const, receivedAt: nowMs, ...nameOf(head) };
}

const nameOf = ({ providerRequestId }: AnswerHead) => (providerRequestId ? { providerRequestId } : {});

/**
 * Lets a refused write pass where the record is not ours any more: it will hear of the answer when that is settled, and
 * what was stored of it ahead is dealt with there as well.
 */
async function unlessOver(write: Promise<void>): Promise<void> {
  await write.catch((error) => {
    if (!(error instanceof AppError) || error.code !== 'already_terminal') throw error;
  });
}

async function* followedBy<T>(items: AsyncIterable<T>, then: () => void): AsyncGenerator<T, void, undefined> {
  yield* items;
  then();
}

function withoutRefusals(job: ImageJob): ImageJob {
  const { refusals: _refusals, ...rest } = job;
  return rest;
}
