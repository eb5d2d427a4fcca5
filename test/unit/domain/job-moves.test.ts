import { describe, expect, it } from 'vitest';
import { type Attempt, openHandles } from '../../../src/domain/attempt.ts';
import { storageKeysOf } from '../../../src/domain/image.ts';
import { finalError, type ImageJob, jobError } from '../../../src/domain/image-job.ts';
import { inputKeyOf } from '../../../src/domain/input-image.ts';
import { dueAt } from '../../../src/domain/job-deadlines.ts';
import { erase, purgeMedia, purgePreviews } from '../../../src/domain/job-erasure.ts';
import {
  addImage,
  addPreview,
  beginRun,
  checkRun,
  enterStage,
  finish,
  finishIfWhole,
  finishIncomplete,
  releaseRun,
  requestCancel,
  withLostWrites,
} from '../../../src/domain/job-moves.ts';
import { attemptOf, createdAt, imageOf, previewOf, queuedJob, retention } from '../../support/jobs.ts';

type Move = (job: ImageJob, nowMs: number) => ImageJob;

describe('the end of a job', () => {
  const error = jobError('run_timeout', 'possible');
  const ends: [string, Move][] = [
    ...(['succeeded', 'failed', 'canceled', 'expired'] as const).map((status): [string, Move] => [
      status,
      (job, nowMs) => finish(job, status, { nowMs, retention }),
    ]),
    ['incomplete', (job, nowMs) => finishIncomplete(job, { nowMs, retention, error })],
    ['erased', (job, nowMs) => erase(job, nowMs, retention)],
  ];

  it.each(ends)('leaves no open call of a job that ends as %s, except a received response', (_how, end) => {
    const attempts = [
      attemptOf({ state: 'calling', handle: 'resp_1' }),
      attemptOf({ no: 2, state: 'received' }),
      attemptOf({ no: 3, state: 'rejected' }),
    ];
    const ended = end({ ...beginRun(queuedJob(), createdAt), attempts }, createdAt + 9);
    expect(ended.attempts.map(({ state }) => state)).toEqual(['uncertain', 'received', 'rejected']);
    expect(ended.attempts[0]).toMatchObject({ error: 'provider_outcome_unknown', finishedAt: createdAt + 9 });
    // A worker cancels the call at the provider by its handle.
    expect(openHandles(ended.attempts)).toEqual(['resp_1']);
  });
});

describe('a run', () => {
  it('starts the job once and raises the fencing token every time', () => {
    const first = beginRun(queuedJob(), createdAt + 10);
    const second = beginRun(first, createdAt + 20);
    expect(first).toMatchObject({ status: 'running', fence: 1, startedAt: createdAt + 10 });
    expect(second).toMatchObject({ status: 'running', fence: 2, startedAt: createdAt + 10 });
    expect(second.history).toEqual(first.history);
  });

  it('allows writes only while the run is the latest, even if the store lost it and another has its token', () => {
    const refusal = expect.objectContaining({ code: 'already_terminal' });
    const first = beginRun(queuedJob(), createdAt + 10);
    const second = beginRun(first, createdAt + 20);
    const namesake = beginRun(queuedJob(), createdAt + 30);
    expect(namesake.fence).toBe(first.fence);
    expect(() => checkRun(first, first)).not.toThrow();
    expect(() => checkRun(releaseRun(first, createdAt + 15), first)).not.toThrow();
    expect(() => checkRun(second, first)).toThrow(refusal);
    expect(() => checkRun(namesake, first)).toThrow(refusal);
  });

  it('restores what a run wrote and the store lost, without a cancel request that came later', () => {
    const queued = queuedJob();
    const begun = { ...beginRun(queued, createdAt + 10), version: queued.version + 1 };
    const written = { ...begun, attempts: [attemptOf({ state: 'received' })], version: queued.version + 3 };
    for (const older of [queued, begun]) {
      expect(withLostWrites(older, written)).toEqual(written);
      const canceled = { ...older, cancelRequestedAt: createdAt + 20 };
      expect(withLostWrites(canceled, written)).toEqual({ ...written, cancelRequestedAt: createdAt + 20 });
    }
  });

  it('restores nothing over a newer record, the record of another run, or an ended job', () => {
    const queued = queuedJob();
    const written = { ...beginRun(queued, createdAt + 10), version: queued.version + 3 };
    const newer = { ...written, version: written.version + 1 };
    const ofAnother = beginRun(queued, createdAt + 20);
    const ended = finish(queued, 'canceled', { nowMs: createdAt + 20, retention });
    for (const stored of [newer, ofAnother, ended]) expect(withLostWrites(stored, written)).toBe(stored);
  });

  it('changes nothing if the job enters the same stage again', () => {
    const job = enterStage(beginRun(queuedJob(), createdAt + 1), 'generating', createdAt + 2);
    expect(enterStage(job, 'generating', createdAt + 3)).toBe(job);
  });
});

describe('a preview', () => {
  it('is added once, as a moment of the history', () => {
    const job = enterStage(beginRun(queuedJob(), createdAt + 1), 'generating', createdAt + 2);
    const preview = previewOf(job, { index: 0, partial: 1 });
    const added = addPreview(job, preview, createdAt + 3);
    expect(added.previews).toEqual([preview]);
    expect(added.history.at(-1)).toEqual({
      at: createdAt + 3,
      status: 'running',
      stage: 'generating',
      image: 0,
      partial: 1,
    });
    expect(addPreview(added, preview, createdAt + 4)).toBe(added);
  });

  it('replaces the preview of an earlier call for the same image', () => {
    const job = beginRun(queuedJob(), createdAt + 1);
    const previews = [
      previewOf(job, { index: 0, partial: 0, no: 1 }),
      previewOf(job, { index: 0, partial: 1, no: 1 }),
      previewOf(job, { index: 0, partial: 0, no: 2 }),
    ];
    const added = previews.reduce((now, preview) => addPreview(now, preview, createdAt + 2), job);
    expect(added.previews).toEqual([previews[1], previews[2]]);
    expect(added.history).toHaveLength(job.history.length + 3);
  });

  it('is due for deletion an hour after the end of its job, or with its images', () => {
    const added = addPreview(beginRun(queuedJob(), createdAt), previewOf(queuedJob()), createdAt);
    const ended = (mediaSeconds: number) =>
      finish(added, 'succeeded', {
        nowMs: createdAt + 5,
        retention: { mediaSeconds, recordSeconds: 90_000 },
      });
    expect(dueAt(ended(80_000))).toBe(createdAt + 5 + 3_600_000);
    expect(dueAt(ended(60))).toBe(createdAt + 5 + 60_000);
    const purged = purgePreviews(ended(80_000), createdAt + 10);
    expect(purged).not.toHaveProperty('previews');
    expect(dueAt(purged)).toBe(createdAt + 5 + 80_000_000);
    expect(purgeMedia(ended(60), createdAt + 10)).not.toHaveProperty('previews');
  });
});

describe('ending a job', () => {
  const running = beginRun(queuedJob(), createdAt + 1);

  it('schedules the removal of images and record, never images after the record', () => {
    const short = { mediaSeconds: 9_000, recordSeconds: 100 };
    const job = finish(running, 'succeeded', { nowMs: createdAt + 5, retention: short });
    expect(job.mediaExpiresAt).toBe(createdAt + 5 + 100_000);
    expect(job.recordExpiresAt).toBe(createdAt + 5 + 100_000);
  });

  it('removes the stage and the count of refusals at the end of the job', () => {
    const job = enterStage({ ...running, refusals: 3 }, 'storing', createdAt + 2);
    const ended = finish(job, 'failed', { nowMs: createdAt + 5, retention });
    expect(ended).not.toHaveProperty('stage');
    expect(ended).not.toHaveProperty('refusals');
  });

  it('lists the error of the job after the errors of its images', () => {
    const ofImage = jobError('moderation_blocked', 'none', { index: 0 });
    const ofJob = jobError('run_timeout', 'possible');
    const job = finish({ ...running, errors: [ofImage] }, 'failed', {
      nowMs: createdAt + 5,
      retention,
      error: ofJob,
    });
    expect(job.errors).toEqual([ofImage, ofJob]);
    expect(finalError(job)).toEqual(ofJob);
  });
});

describe('erasing a job', () => {
  const running = beginRun(queuedJob({ request: { metadata: { user: 'ada' } } }), createdAt + 1);
  const full: ImageJob = {
    ...running,
    enhancedPrompt: 'ada in detail',
    revisedPrompt: 'ada revised',
    warnings: ['about ada'],
    errors: [jobError('internal', 'none', { message: 'ada' })],
    inputs: [
      { role: 'image', index: 0, source: { type: 'url', url: 'https://a.example/ada.png' }, sha256: 'adada' },
    ],
    images: [imageOf(running)],
    attempts: [attemptOf({ costMicroUsd: 5970 })],
    usage: { input_tokens: 18, output_tokens: 196, total_tokens: 214 },
  };

  it('ends an unfinished job as canceled on erasure', () => {
    const erased = erase(full, createdAt + 9, retention);
    expect(erased).toMatchObject({ status: 'canceled', finishedAt: createdAt + 9, erasedAt: createdAt + 9 });
  });

  it('erases every text of the caller and keeps ids, times and amounts', () => {
    const ended = finish(full, 'succeeded', { nowMs: createdAt + 5, retention });
    const erased = erase(ended, createdAt + 9, retention);
    expect(JSON.stringify(erased)).not.toMatch(/ada|lighthouse/);
    expect(erased).toMatchObject({ status: 'succeeded', usage: full.usage, attempts: full.attempts });
    expect(erased.images).toEqual(full.images);
    expect(storageKeysOf(erased)).toContain(inputKeyOf(erased, { role: 'image', index: 0 }));
    expect(dueAt(erased)).toBe(createdAt + 9);
    expect(dueAt(purgeMedia(erased, createdAt + 9 + 900_000))).toBe(ended.recordExpiresAt);
  });
});

describe('a job whose last image is recorded', () => {
  const running = (images: number, ...attempts: Attempt[]): ImageJob => {
    const job = beginRun(queuedJob({ request: { n: 2 } }), createdAt + 1);
    return { ...job, attempts, images: Array.from({ length: images }, (_, index) => imageOf(job, index)) };
  };
  const outcome = { nowMs: createdAt + 9, retention };

  it('marks a job with all its images as succeeded', () => {
    const job = finishIfWhole(running(2, attemptOf()), outcome);
    expect(job).toMatchObject({ status: 'succeeded', finishedAt: createdAt + 9 });
  });

  it.each([
    ['an image is missing', running(1, attemptOf())],
    ['a call is in flight', running(2, attemptOf(), attemptOf({ no: 2, state: 'calling' }))],
    ['a response is not finalized', running(2, attemptOf(), attemptOf({ no: 2, state: 'received' }))],
    ['it ended before', finish(running(2), 'canceled', outcome)],
  ])('leaves a job with all its images unchanged if %s', (_name, job) => {
    expect(finishIfWhole(job, outcome)).toBe(job);
  });
});

describe('a record that only a newer release may change', () => {
  const moves: [string, Move][] = [
    ['run', beginRun],
    ['entered into a stage', (job, nowMs) => enterStage(job, 'storing', nowMs)],
    ['given an image', (job, nowMs) => addImage(job, imageOf(job), nowMs)],
    ['given a preview', (job, nowMs) => addPreview(job, previewOf(job), nowMs)],
    ['canceled', requestCancel],
    ['ended', (job, nowMs) => finish(job, 'failed', { nowMs, retention })],
    ['erased', (job, nowMs) => erase(job, nowMs, retention)],
    ['purged', purgeMedia],
    ['purged of its previews', purgePreviews],
  ];

  it.each(moves)('prevents a job written by a newer release from being %s', (_what, move) => {
    for (const newer of [{ status: 'paused' }, { schema: 2 }]) {
      const refusal = expect.objectContaining({ code: 'newer_release' });
      expect(() => move({ ...queuedJob(), ...newer }, createdAt)).toThrow(refusal);
    }
  });
});
