import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/domain/errors.ts';
import type { ImageJob } from '../../../../src/domain/image-job.ts';
import { beginRun, finish } from '../../../../src/domain/job-moves.ts';
import type { GetJob } from '../../../../src/usecases/jobs/get-job.ts';
import { createStreamJobEvents } from '../../../../src/usecases/jobs/stream-job-events.ts';
import { createdAt, queuedJob, retention } from '../../../support/jobs.ts';

const queued = queuedJob();
const running = beginRun(queued, createdAt + 10);
const succeeded = finish(running, 'succeeded', { nowMs: createdAt + 20, retention });

/** Follows a job of which every look finds the next thing, to the end of the stream. */
async function watched(...found: (ImageJob | Error)[]): Promise<string[]> {
  const looks = [...found];
  const getJob = {
    async get() {
      const next = looks.shift();
      if (next === undefined || next instanceof Error) throw next ?? new Error('looked once too often');
      return next;
    },
  } as Pick<GetJob, 'get'>;
  // A change is told as soon as somebody listens for it.
  const signals = {
    onChange(_tenant: string, _id: string, listener: () => void) {
      const timer = setInterval(listener, 1);
      return () => clearInterval(timer);
    },
  };
  const watch = createStreamJobEvents({ getJob, signals, clock: () => createdAt });
  const types: string[] = [];
  for await (const { type } of watch(queued, 0, new AbortController().signal)) types.push(type);
  expect(looks).toEqual([]);
  return types;
}

describe('following a job', () => {
  it('tells every moment once, to its end', async () => {
    expect(await watched(queued, running, running, succeeded)).toEqual([
      'image.queued',
      'image.started',
      'image.succeeded',
    ]);
  });

  it('waits for a store that is away, and tells the rest afterwards', async () => {
    const away = new AppError('store_unavailable');
    expect(await watched(away, queued, away, away, succeeded)).toEqual([
      'image.queued',
      'image.started',
      'image.succeeded',
    ]);
  });

  it.each(['erased', 'not_found'] as const)('ends without a word where the job is %s', async (code) => {
    expect(await watched(running, new AppError(code))).toEqual(['image.queued', 'image.started']);
  });

  it('breaks where something else is wrong, so that nobody takes it for the end', async () => {
    await expect(watched(running, new TypeError('a fault of ours'))).rejects.toThrow('a fault of ours');
  });
});
