import { AppError } from '../../domain/errors.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import { enterStage } from '../../domain/job-moves.ts';
import type { Clock, ImageProvider, ResponseMeta, ResponseSink, Spool } from '../../domain/ports.ts';
import type { EarlyUpload, StartEarlyUpload } from './early-upload.ts';
import type { JobRun } from './job-run.ts';

interface Deps {
  provider: Pick<ImageProvider, 'name'>;
  spool: Spool;
  startEarlyUpload: StartEarlyUpload;
  clock: Clock;
}

/** An answer that is brought to safety while it arrives. */
interface SpooledResponse {
  /** Takes the answer; resolves when it is safe, and rejects as the spool does when it will not be. */
  readonly sink: ResponseSink;
  /** Enters a safe answer in the ledger, unless the record is not ours any more. */
  readonly enter: (head: ResponseMeta) => Promise<void>;
  /** What is done with the answer on its way; to be ended by the caller. */
  readonly earlyUpload: EarlyUpload;
}

/**
 * Brings a paid answer to safety: on the disk, or its image in the storage, whichever comes first. Meanwhile the ledger
 * learns that the last byte is here.
 */
export function createSpoolResponse(deps: Deps) {
  return (run: JobRun, { no, index }: { no: number; index: number }): SpooledResponse => {
    const { tenant, id: jobId } = run.job;
    const earlyUpload = deps.startEarlyUpload(run.job, { no, index }, run.signal);
    let noted: Promise<void> = Promise.resolve();

    function recordArrival(head: ResponseMeta): void {
      noted = unlessOver(
        run.moveAttempt(no, nameOf(head), (job) => enterStage(withoutRefusals(job), 'storing', deps.clock())),
      );
      noted.catch(() => {}); // heard of when it is waited for, unless the call fails before
    }

    return {
      earlyUpload,
      async sink(head, body) {
        let arrived = false;
        const arriving = followedBy(body, () => {
          arrived = true;
          recordArrival(head);
        });
        const written = deps.spool.write(
          { tenant, jobId, attemptNo: no },
          { ...head, provider: deps.provider.name },
          earlyUpload.watch(arriving),
        );
        // Nobody reads on for a disk that failed. After the last byte the storage may still take the image.
        written.catch(() => {
          if (!arrived) earlyUpload.end();
        });
        await Promise.any([written, earlyUpload.stored()]).catch(() => written);
      },
      async enter(head) {
        await noted;
        if (!earlyUpload.isStored()) await unlessOver(run.moveAttempt(no, received(head, deps.clock())));
      },
    };
  };
}
export type SpoolResponse = ReturnType<typeof createSpoolResponse>;

/** The row of a call whose answer is on disk. */
export function received(head: ResponseMeta, nowMs: number) {
  return { state: 'received' as const, receivedAt: nowMs, ...nameOf(head) };
}

const nameOf = ({ providerRequestId }: ResponseMeta) => (providerRequestId ? { providerRequestId } : {});

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
