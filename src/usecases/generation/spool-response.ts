import type { Attempt } from '../../domain/attempt.ts';
import { AppError } from '../../domain/errors.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import { enterStage } from '../../domain/job-moves.ts';
import type { Clock, ResponseMeta, ResponseSink, Spool } from '../../domain/ports.ts';
import type { EarlyUpload } from './early-upload.ts';
import type { JobRun } from './job-run.ts';

interface Deps {
  spool: Pick<Spool, 'write'>;
  /** Name of the provider whose responses are spooled. Only that provider can decode them. */
  providerName: string;
  clock: Clock;
}

/** A response that becomes durable while it arrives. */
export interface SpooledResponse {
  /** Receives the response. Resolves when it is durable; rejects as the spool does if it will not be. */
  readonly sink: ResponseSink;
  /** Records a durable response in the ledger, unless the record belongs to another run. */
  readonly enter: (head: ResponseMeta) => Promise<void>;
}

/**
 * Makes a paid response durable: spooled to disk or its image uploaded, whichever finishes first. The arrival of the last
 * byte is recorded in parallel.
 */
export function createSpoolResponse({ spool, providerName, clock }: Deps) {
  return (run: JobRun, { row, earlyUpload }: { row: Attempt; earlyUpload: EarlyUpload }): SpooledResponse => {
    const { tenant, id: jobId } = run.job;
    const { no, index, startedAt } = row;
    let arrivalRecorded: Promise<void> = Promise.resolve();

    function recordArrival(head: ResponseMeta): void {
      arrivalRecorded = unlessOver(
        run.updateAttempt(no, { arrivedAt: clock(), ...requestIdOf(head) }, (job) =>
          enterStage(withoutRefusals(job), 'storing', clock()),
        ),
      );
      // `enter` reports the failure, unless the call fails before.
      arrivalRecorded.catch(() => {});
    }

    return {
      async sink(head, body) {
        let hasArrived = false;
        const arriving = followedBy(body, () => {
          hasArrived = true;
          recordArrival(head);
        });
        const key = { tenant, jobId, attemptNo: no };
        const { reader, drain } = drainable(earlyUpload.watch(arriving, row));
        // If the disk fails, the storage may still accept the image.
        const written = spool
          .write(key, { ...head, index, startedAt, provider: providerName }, reader)
          .catch(async (error) => {
            await drain(() => earlyUpload.isReading());
            if (!hasArrived) earlyUpload.end();
            throw error;
          });
        await Promise.any([written, earlyUpload.stored()]).catch(() => written);
      },
      async enter(head) {
        await arrivalRecorded;
        if (!earlyUpload.isStored()) await unlessOver(run.updateAttempt(no, received(head, clock())));
      },
    };
  };
}
export type SpoolResponse = ReturnType<typeof createSpoolResponse>;

/** Returns the fields of a row whose response is on disk. */
export function received(head: ResponseMeta, nowMs: number) {
  return { state: 'received' as const, receivedAt: nowMs, ...requestIdOf(head) };
}

const requestIdOf = ({ providerRequestId }: ResponseMeta) => (providerRequestId ? { providerRequestId } : {});

/**
 * Ignores a refused write if the record belongs to another run or has ended. The record learns of the response when it is
 * finalized, and an image that was stored early is handled there as well.
 */
async function unlessOver(write: Promise<void>): Promise<void> {
  await write.catch((error) => {
    if (!(error instanceof AppError) || error.code !== 'already_terminal') throw error;
  });
}

/** Lets a stream be read on after its reader failed. */
function drainable(body: AsyncIterable<Uint8Array>) {
  const chunks = body[Symbol.asyncIterator]();
  let isBroken = false;
  const next = async () => {
    try {
      return await chunks.next();
    } catch (error) {
      isBroken = true;
      throw error;
    }
  };
  return {
    /** The stream for the reader. Its early end does not close the stream. */
    reader: { [Symbol.asyncIterator]: () => ({ next }) },
    /** Reads the rest while it is wanted, then closes the stream. Never rejects. */
    async drain(isWanted: () => boolean): Promise<void> {
      try {
        while (!isBroken && isWanted() && !(await next()).done);
      } catch {
        // The failure of the reader is reported.
      }
      await chunks.return?.().catch(() => {});
    },
  };
}

async function* followedBy<T>(items: AsyncIterable<T>, then: () => void): AsyncGenerator<T, void, undefined> {
  yield* items;
  then();
}

function withoutRefusals(job: ImageJob): ImageJob {
  const { refusals: _refusals, ...rest } = job;
  return rest;
}
