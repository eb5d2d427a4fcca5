import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ImageJob } from '../../../../src/domain/image-job.ts';
import { beginRun, erase, finish, requestCancel } from '../../../../src/domain/job-moves.ts';
import { failureOf, generation } from '../../../support/generation.ts';
import { createdAt, imageOf, retention } from '../../../support/jobs.ts';

const done = { done: true };
/** Lets others go on for a while. */
async function leaseEpochs(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

describe('an execution that is overtaken', () => {
  it('by a newer one makes no further call and changes nothing', async () => {
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

  it('by a newer one that filled the place has its late answer counted as wasted and its bytes removed', async () => {
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

describe('being told to stop', () => {
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

  it('by its caller ends the job as canceled and says that money may be gone', async () => {
    const { made, run } = calling('canceled');
    expect(await run()).toEqual(done);
    expect(made.job()).toMatchObject({ status: 'canceled', attempts: [{ state: 'uncertain' }] });
    expect(made.job().errors).toBeUndefined();
    expect(made.calls).toHaveLength(1);
  });

  it('before its start ends it as canceled without a call', async () => {
    const made = generation();
    made.set((job) => requestCancel(beginRun(job, createdAt), createdAt + 1));
    expect(await made.run()).toEqual(done);
    expect(made.job()).toMatchObject({ status: 'canceled', attempts: [] });
    expect(made.calls).toHaveLength(0);
  });

  it('by a wish whose message was lost happens at the next step', async () => {
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

  it('by a deploy hands the job back at once, held by nobody', async () => {
    const { made, run } = calling('draining');
    expect(await run()).toEqual({ againInMs: 0 });
    expect(made.job()).toMatchObject({ status: 'running', attempts: [{ state: 'uncertain' }] });
    expect(made.job()).not.toHaveProperty('leaseStartedAt');
  });

  it('by one deploy after the other costs a call each time and fails no job', async () => {
    const cut = async () => {
      stop.abort('draining');
      return failureOf('uncertain', 'provider_outcome_unknown');
    };
    const made = generation({ maxPaidAttempts: 2, responses: [cut, cut, cut, 'image'] });
    let stop = new AbortController();
    for (let deploys = 0; deploys < 3; deploys++) {
      stop = new AbortController();
      expect(await made.run(stop.signal)).toEqual({ againInMs: 0 });
    }
    expect(await made.run()).toEqual(done);
    expect(made.calls).toHaveLength(4);
    expect(made.job()).toMatchObject({
      status: 'succeeded',
      attempts: [...Array(3).fill({ state: 'uncertain', error: 'worker_lost' }), { state: 'stored' }],
    });
  });

  it('by a deploy keeps what failed for good, so that nobody asks for it again', async () => {
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
    expect(await made.run(stop.signal)).toEqual({ againInMs: 0 });
    await made.run();
    expect(made.calls).toHaveLength(3);
    expect(made.job()).toMatchObject({ status: 'succeeded', errors: [{ index: 0 }], images: [{ index: 1 }] });
  });

  it('because its time is over fails the job, with what is known about money', async () => {
    const { made, run } = calling('run_timeout');
    expect(await run()).toEqual(done);
    expect(made.job()).toMatchObject({
      status: 'failed',
      errors: [{ code: 'run_timeout', billing: 'possible', stage: 'generating' }],
    });
  });

  it('because its time is over keeps the images that are done and lists every missing one', async () => {
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

  it('with its time used up by earlier executions makes no call', async () => {
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

  it('because its lock was lost writes nothing more', async () => {
    const { made, run } = calling('lock_lost');
    expect(await run()).toEqual(done);
    expect(made.job().status).toBe('running');
  });
});

describe('being told to stop by the record alone, during a call', () => {
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

  it('as canceled breaks the call off and ends the job', async () => {
    const { made, reasons } = during((job) => requestCancel(job, createdAt + 1_500));
    expect(await made.run()).toEqual(done);
    expect(reasons).toEqual(['canceled']);
    expect(made.job()).toMatchObject({ status: 'canceled', attempts: [{ state: 'uncertain' }] });
  });

  it.each<[string, (job: ImageJob) => ImageJob]>([
    ['ended', (job) => finish(job, 'failed', { nowMs: createdAt + 1_500, retention })],
    ['erased', (job) => erase(job, createdAt + 1_500, retention)],
    ['taken over', (job) => beginRun(job, createdAt + 1_500)],
  ])('as %s breaks the call off and leaves the record alone', async (_name, change) => {
    const { made, reasons, left } = during(change);
    expect(await made.run()).toEqual(done);
    expect(reasons).toEqual(['lock_lost']);
    expect([made.job()]).toEqual(left);
  });

  it('is no longer listened to once the run is over', async () => {
    const { made } = during((job) => job);
    await made.run();
    expect(vi.getTimerCount()).toBe(0);
  });
});
