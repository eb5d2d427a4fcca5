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

/** Follows a job to the end of the stream. Each read finds the next change. */
async function watched(...found: (ImageJob | Error)[]): Promise<string[]> {
  const looks = [...found];
  const getJob = {
    async get() {
      const next = looks.shift();
      if (next === undefined || next instanceof Error) throw next ?? new Error('looked once too often');
      return next;
    },
  } as Pick<GetJob, 'get'>;
  // A change is published as soon as a subscriber listens for it.
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

describe('the event stream of a job', () => {
  it('sends every change once, up to the end of the job', async () => {
    expect(await watched(queued, running, running, succeeded)).toEqual([
      'image.queued',
      'image.started',
      'image.succeeded',
    ]);
  });

  it('waits for an unavailable store and then sends the remaining changes', async () => {
    const away = new AppError('store_unavailable');
    expect(await watched(away, queued, away, away, succeeded)).toEqual([
      'image.queued',
      'image.started',
      'image.succeeded',
    ]);
  });

  it.each(['erased', 'not_found'] as const)('ends without an event if the job is %s', async (code) => {
    expect(await watched(running, new AppError(code))).toEqual(['image.queued', 'image.started']);
  });

  it('fails on any other error, so that no client takes it for the end of the job', async () => {
    await expect(watched(running, new TypeError('a fault of ours'))).rejects.toThrow('a fault of ours');
  });
});
