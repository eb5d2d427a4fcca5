import { describe, expect, it } from 'vitest';
import { beginRun, requestCancel } from '../../../../src/domain/job-moves.ts';
import { generation } from '../../../support/generation.ts';
import { attemptOf, createdAt, imageOf } from '../../../support/jobs.ts';

const done = { done: true };

describe('the calls of a job that ends without their outcome', () => {
  it('ends the calls of a dead worker as uncertain if the job was canceled in the meantime', async () => {
    const made = generation({ request: { n: 2 } });
    made.set((job) => ({
      ...requestCancel(beginRun(job, createdAt, 'worker-2'), createdAt + 1),
      attempts: [
        attemptOf({ state: 'calling' }),
        attemptOf({ no: 2, index: 1, state: 'calling', handle: 'resp_1' }),
      ],
    }));
    expect(await made.run()).toEqual(done);
    expect(made.job()).toMatchObject({
      status: 'canceled',
      attempts: [
        { state: 'uncertain', error: 'worker_lost', finishedAt: expect.any(Number) },
        { state: 'uncertain', error: 'provider_outcome_unknown', finishedAt: expect.any(Number) },
      ],
    });
    expect(made.calls).toHaveLength(0);
  });

  it('gives each missing image its own charges and stage when the run time is over', async () => {
    const made = generation({ request: { n: 4 } });
    const stop = new AbortController();
    stop.abort('run_timeout');
    made.set((job) => ({
      ...beginRun(job, createdAt),
      images: [imageOf(job)],
      attempts: [
        attemptOf({ state: 'stored' }),
        attemptOf({ no: 2, index: 1, state: 'received' }),
        attemptOf({ no: 3, index: 2, state: 'uncertain' }),
      ],
    }));
    await made.run(stop.signal);
    expect(made.job()).toMatchObject({
      status: 'succeeded',
      errors: [
        { index: 1, code: 'run_timeout', billing: 'charged', stage: 'storing' },
        { index: 2, code: 'run_timeout', billing: 'possible', stage: 'generating' },
        { index: 3, code: 'run_timeout', billing: 'none' },
      ],
    });
    expect(made.job().errors?.[2]).not.toHaveProperty('stage');
  });
});
