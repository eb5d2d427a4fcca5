import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ImageJob } from '../../../../src/domain/image-job.ts';
import { erase } from '../../../../src/domain/job-erasure.ts';
import { beginRun, finish, requestCancel } from '../../../../src/domain/job-moves.ts';
import { generation } from '../../../support/generation.ts';
import { createdAt, imageOf, retention } from '../../../support/jobs.ts';
import { failureOf } from '../../../support/scripted-provider.ts';

const done = { done: true };
/** Lets other promises make progress. */
async function leaseEpochs(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

describe('an overtaken run', () => {
  it('makes no further call and changes nothing after a newer run started', async () => {
    const made = generation({
      request: { n: 1 },
      responses: [
        async () => {
          made.set((job) => beginRun(job, createdAt + 2_000));
          return failureOf('uncertain');
        },
      ],
    });
    expect(await made.run()).toEqual(done);
    expect(made.calls).toHaveLength(1);
    expect(made.job()).toMatchObject({ status: 'running', fence: 2, attempts: [{ state: 'calling' }] });
  });

  it('records its late response as wasted and removes its bytes if a newer run stored the image', async () => {
    const made = generation({
      responses: [
        async () => {
          made.set((job) => beginRun(job, createdAt + 2_000));
          made.set((job) => ({
            ...finish(job, 'succeeded', { nowMs: createdAt + 3_000, retention }),
            images: [{ ...imageOf(job), storageKey: 'theirs' }],
          }));
          return 'image';
        },
      ],
    });
    expect(await made.run()).toEqual(done);
    expect(made.job().images.map((image) => image.storageKey)).toEqual(['theirs']);
    expect([...made.stored.keys()]).toEqual([]);
  });
});

describe('a stopping run', () => {
  const calling = (reason: string, request = {}) => {
    const stop = new AbortController();
    const made = generation({
      request,
      responses: [
        async ({ signal }) => {
          if (reason === 'canceled') made.set((job) => requestCancel(job, createdAt + 1_500));
          stop.abort(reason);
          expect(signal.aborted).toBe(true);
          return failureOf('uncertain', 'provider_outcome_unknown');
        },
      ],
    });
    return { made, run: () => made.run(stop.signal) };
  };

  it('ends the job as canceled after a cancel request and reports a possible charge', async () => {
    const { made, run } = calling('canceled');
    expect(await run()).toEqual(done);
    expect(made.job()).toMatchObject({ status: 'canceled', attempts: [{ state: 'uncertain' }] });
    expect(made.job().errors).toBeUndefined();
    expect(made.calls).toHaveLength(1);
  });

  it('ends the job as canceled without a call if the cancellation precedes the run', async () => {
    const made = generation();
    made.set((job) => requestCancel(beginRun(job, createdAt), createdAt + 1));
    expect(await made.run()).toEqual(done);
    expect(made.job()).toMatchObject({ status: 'canceled', attempts: [] });
    expect(made.calls).toHaveLength(0);
  });

  it('applies a cancel request whose notification was lost at the next step', async () => {
    const made = generation({
      request: { n: 2 },
      responses: [
        async () => {
          made.set((job) => requestCancel(job, createdAt + 1_500));
          return failureOf('refused');
        },
        'until stopped',
      ],
    });
    expect(await made.run()).toEqual(done);
    expect(made.job().status).toBe('canceled');
  });

  it('releases the job at once without a lease if a deployment stops the worker', async () => {
    const { made, run } = calling('draining');
    expect(await run()).toEqual({ againInMs: 0, isInterrupted: true });
    expect(made.job()).toMatchObject({ status: 'running', attempts: [{ state: 'uncertain' }] });
    expect(made.job()).not.toHaveProperty('leaseStartedAt');
  });

  it('pays for one call per deployment and fails no job', async () => {
    const cut = async () => {
      stop.abort('draining');
      return failureOf('uncertain', 'provider_outcome_unknown');
    };
    const made = generation({ maxPaidAttempts: 2, responses: [cut, cut, cut, 'image'] });
    let stop = new AbortController();
    for (let deploys = 0; deploys < 3; deploys++) {
      stop = new AbortController();
      expect(await made.run(stop.signal)).toEqual({ againInMs: 0, isInterrupted: true });
    }
    expect(await made.run()).toEqual(done);
    expect(made.calls).toHaveLength(4);
    expect(made.job()).toMatchObject({
      status: 'succeeded',
      attempts: [...Array(3).fill({ state: 'uncertain', error: 'worker_lost' }), { state: 'stored' }],
    });
  });

  it('keeps final image failures over a deployment, so that no call repeats them', async () => {
    const stop = new AbortController();
    const made = generation({
      request: { n: 2 },
      responses: [
        failureOf('final', 'moderation_blocked'),
        async () => {
          await leaseEpochs(50);
          stop.abort('draining');
          return failureOf('refused');
        },
      ],
    });
    expect(await made.run(stop.signal)).toEqual({ againInMs: 0, isInterrupted: true });
    await made.run();
    expect(made.calls).toHaveLength(3);
    expect(made.job()).toMatchObject({ status: 'succeeded', errors: [{ index: 0 }], images: [{ index: 1 }] });
  });

  it('fails the job at its run timeout and reports the known charges', async () => {
    const { made, run } = calling('run_timeout');
    expect(await run()).toEqual(done);
    expect(made.job()).toMatchObject({
      status: 'failed',
      errors: [{ code: 'run_timeout', billing: 'possible', stage: 'generating' }],
    });
  });

  it('keeps stored images at the run timeout and lists every missing one', async () => {
    const stop = new AbortController();
    const made = generation({
      request: { n: 3 },
      responses: [
        'image',
        failureOf('final', 'moderation_blocked'),
        async () => {
          await leaseEpochs(50);
          stop.abort('run_timeout');
          return failureOf('uncertain');
        },
      ],
    });
    expect(await made.run(stop.signal)).toEqual(done);
    const errors = made.job().errors?.map(({ code, index }) => [index, code]);
    expect(made.job().status).toBe('succeeded');
    expect(errors?.toSorted()).toEqual([
      [1, 'moderation_blocked'],
      [2, 'run_timeout'],
    ]);
  });

  it('makes no call if earlier runs used up the run timeout', async () => {
    const made = generation({ request: { run_timeout_s: 60 } });
    made.set((job) => {
      const { leaseStartedAt: _held, ...waiting } = beginRun(job, createdAt);
      return waiting;
    });
    made.passTime(60_000);
    expect(await made.run()).toEqual(done);
    expect(made.job()).toMatchObject({ status: 'failed', errors: [{ code: 'run_timeout' }] });
    expect(made.calls).toHaveLength(0);
  });

  it('writes nothing more after the run lost its lock', async () => {
    const { made, run } = calling('lock_lost');
    expect(await run()).toEqual(done);
    expect(made.job().status).toBe('running');
  });
});

describe('a run that finds its stop reason in the record during a call', () => {
  const during = (change: (job: ImageJob) => ImageJob) => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const reasons: unknown[] = [];
    const left: ImageJob[] = [];
    const made = generation({
      responses: [
        async ({ signal }) => {
          made.set(change);
          left.push(made.job());
          await vi.advanceTimersByTimeAsync(5_000);
          reasons.push(signal.reason);
          return failureOf('uncertain', 'provider_outcome_unknown');
        },
      ],
    });
    return { made, reasons, left };
  };

  it('aborts the call and ends the job if the record is canceled', async () => {
    const { made, reasons } = during((job) => requestCancel(job, createdAt + 1_500));
    expect(await made.run()).toEqual(done);
    expect(reasons).toEqual(['canceled']);
    expect(made.job()).toMatchObject({ status: 'canceled', attempts: [{ state: 'uncertain' }] });
  });

  it.each<[string, (job: ImageJob) => ImageJob]>([
    ['ended', (job) => finish(job, 'failed', { nowMs: createdAt + 1_500, retention })],
    ['erased', (job) => erase(job, createdAt + 1_500, retention)],
    ['taken over', (job) => beginRun(job, createdAt + 1_500)],
  ])('aborts the call and leaves the record unchanged if it is %s', async (_name, change) => {
    const { made, reasons, left } = during(change);
    expect(await made.run()).toEqual(done);
    expect(reasons).toEqual(['lock_lost']);
    expect([made.job()]).toEqual(left);
  });

  it('stops watching the record once the run is over', async () => {
    const { made } = during((job) => job);
    await made.run();
    expect(vi.getTimerCount()).toBe(0);
  });
});
