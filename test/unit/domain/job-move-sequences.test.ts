import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/domain/errors.ts';
import { type ImageJob, isTerminal, type JobStatus, jobStages } from '../../../src/domain/image-job.ts';
import { erase, purgeMedia } from '../../../src/domain/job-erasure.ts';
import {
  addImage,
  addPreview,
  beginRun,
  enterStage,
  finish,
  requestCancel,
} from '../../../src/domain/job-moves.ts';
import { decodeRecord } from '../../../src/outbound/records/record-codec.ts';
import { encodeVersioned } from '../../../src/outbound/records/versioned-json.ts';
import { createdAt, imageOf, previewOf, queuedJob, retention } from '../../support/jobs.ts';

const ends = ['succeeded', 'failed', 'canceled', 'expired'] as const;
const rank: Record<JobStatus, number> = {
  queued: 0,
  running: 1,
  succeeded: 2,
  failed: 2,
  canceled: 2,
  expired: 2,
};

const rankOf = ({ status }: { status: string }) => rank[status as JobStatus];

type Move = (job: ImageJob, nowMs: number) => ImageJob;
const anyMove: fc.Arbitrary<Move> = fc.oneof(
  fc.constant<Move>((job, nowMs) => beginRun(job, nowMs)),
  fc.constantFrom(...jobStages).map(
    (stage): Move =>
      (job, nowMs) =>
        enterStage(job, stage, nowMs),
  ),
  fc.nat(9).map(
    (index): Move =>
      (job, nowMs) =>
        addImage(job, imageOf(job, index), nowMs),
  ),
  fc.tuple(fc.nat(9), fc.nat(2)).map(
    ([index, partial]): Move =>
      (job, nowMs) =>
        addPreview(job, previewOf(job, { index, partial }), nowMs),
  ),
  fc.constant<Move>((job, nowMs) => requestCancel(job, nowMs)),
  fc.constantFrom(...ends).map(
    (status): Move =>
      (job, nowMs) =>
        finish(job, status, { nowMs, retention }),
  ),
  fc.constant<Move>((job, nowMs) => erase(job, nowMs, retention)),
  fc.constant<Move>((job, nowMs) => (isTerminal(job.status) ? purgeMedia(job, nowMs) : job)),
);

/** Applies a change as the use cases do. A rejected change leaves the record unchanged. */
function tryMove(job: ImageJob, move: Move, nowMs: number): ImageJob {
  try {
    return move(job, nowMs);
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe('already_terminal');
    return job;
  }
}

describe('the time of the last change', () => {
  it('never moves the last change or the history back in time, whatever the clocks of the processes show', () => {
    const times = fc.array(fc.tuple(anyMove, fc.integer({ min: -10_000, max: 10_000 })), { maxLength: 12 });
    fc.assert(
      fc.property(times, (moves) => {
        let job = queuedJob();
        for (const [move, offsetMs] of moves) {
          const next = tryMove(job, move, createdAt + offsetMs);
          expect(next.updatedAt).toBeGreaterThanOrEqual(job.updatedAt);
          job = next;
        }
        const moments = job.history.map(({ at }) => at);
        expect(moments).toEqual(moments.toSorted((a, b) => a - b));
        const { createdAt: begin, startedAt = begin, finishedAt = job.updatedAt } = job;
        expect(finishedAt).toBeGreaterThanOrEqual(Math.max(begin, startedAt));
      }),
    );
  });
});

describe('the changes of a job', () => {
  it('never moves a job back in any order of changes, and never changes a terminal status', () => {
    fc.assert(
      fc.property(fc.array(anyMove, { maxLength: 25 }), (moves) => {
        let job = queuedJob();
        moves.forEach((move, i) => {
          const next = tryMove(job, move, createdAt + i + 1);
          expect(rankOf(next)).toBeGreaterThanOrEqual(rankOf(job));
          if (isTerminal(job.status)) expect(next.status).toBe(job.status);
          expect(next.fence).toBeGreaterThanOrEqual(job.fence);
          expect(next.updatedAt).toBeGreaterThanOrEqual(job.updatedAt);
          job = next;
        });
      }),
    );
  });

  it('only adds to the history, whose last entry is the current status of the job', () => {
    fc.assert(
      fc.property(fc.array(anyMove, { maxLength: 25 }), (moves) => {
        let job = queuedJob();
        moves.forEach((move, i) => {
          const next = tryMove(job, move, createdAt + i + 1);
          expect(next.history.slice(0, job.history.length)).toEqual(job.history);
          const last = next.history.at(-1);
          expect(last?.status).toBe(next.status);
          expect(last?.stage).toBe(next.stage);
          job = next;
        });
        const times = job.history.map((moment) => moment.at);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        const ranks = job.history.map(rankOf);
        expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
      }),
    );
  });

  it('produces storable records in any order of changes and never modifies their predecessor', () => {
    fc.assert(
      fc.property(fc.array(anyMove, { maxLength: 12 }), (moves) => {
        let job = queuedJob();
        moves.forEach((move, i) => {
          const before = structuredClone(job);
          const next = tryMove(job, move, createdAt + i + 1);
          expect(job).toEqual(before);
          job = next;
        });
        expect(decodeRecord(job.tenant, job.id, encodeVersioned(job))).toEqual(job);
      }),
    );
  });
});
