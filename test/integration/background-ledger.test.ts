import { describe, expect, it, vi } from 'vitest';
import { beginRun } from '../../src/domain/job-moves.ts';
import { backgroundJob } from '../support/background-job.ts';
import { attemptOf, createdAt } from '../support/jobs.ts';
import { contextOf, drain, imageCall } from '../support/provider-calls.ts';

const done = { done: true };
type Made = Awaited<ReturnType<typeof backgroundJob>>;

/** Creates a job as a dead worker leaves it. Its only attempt names a call that continues at the provider. */
async function leftBehind(prompt: string, state: 'calling' | 'received'): Promise<Made> {
  const made = await backgroundJob(prompt);
  let handle = '';
  await made.provider.generate(
    imageCall(prompt),
    contextOf({
      onHandle: async (given) => {
        handle = given;
      },
    }),
    drain,
  );
  const attempt = attemptOf({ state, handle, ...(state === 'received' ? { receivedAt: createdAt } : {}) });
  await made.set((job) => ({ ...beginRun(job, createdAt), attempts: [attempt] }));
  return made;
}

async function handleOf(made: Made): Promise<void> {
  await vi.waitFor(async () => expect((await made.job()).attempts[0]?.handle).toBeDefined(), {
    timeout: 10_000,
  });
}

async function expectOnePaidImage(made: Made): Promise<void> {
  const job = await made.job();
  expect(job).toMatchObject({ status: 'succeeded', images: [{ index: 0 }] });
  expect(job.attempts).toMatchObject([{ state: 'stored', costMicroUsd: expect.any(Number) }]);
  expect(made.seen('submissions')).toHaveLength(1);
  expect(made.seen('cancellations')).toEqual([]);
  expect(made.chargedImages()).toBe(1);
}

describe('a call with a handle', () => {
  it('writes the handle of a call before the first poll and records the cost of image and host model', async () => {
    const made = await backgroundJob('a cat');
    expect(await made.run()).toEqual(done);
    await expectOnePaidImage(made);
    expect(made.handles).toMatchObject([{ written: expect.stringMatching(/^resp_/), polls: 0 }]);
    const [attempt] = (await made.job()).attempts;
    expect(attempt).not.toHaveProperty('handle');
    // 196 image tokens at 30 and 2 prompt tokens at 5. The host model adds 2 input tokens at 0.75 and 2 output tokens
    // at 4.5.
    expect(attempt?.costMicroUsd).toBe(196 * 30 + 2 * 5 + Math.round(2 * 0.75 + 2 * 4.5));
  });

  it.each(['calling', 'received'] as const)(
    'resumes a call that a dead worker left as %s, without another charge',
    async (state) => {
      const made = await leftBehind('a cat', state);
      expect(await made.run()).toEqual(done);
      await expectOnePaidImage(made);
    },
  );

  it('polls a call again after the disk refused its response, and does not pay again', async () => {
    const made = await backgroundJob('a cat', { maxEarlyUploads: 0 });
    made.faults.spoolWrites = 3;
    for (let runs = 0; runs < 3; runs += 1)
      expect(await made.run()).toEqual({ againInMs: 5_000, isInterrupted: true });
    expect((await made.job()).attempts).toMatchObject([{ state: 'calling', handle: expect.any(String) }]);
    expect(await made.run()).toEqual(done);
    await expectOnePaidImage(made);
  });

  it('leaves a call unchanged when its worker drains, and the next run resumes it', async () => {
    const made = await backgroundJob('a cat [studio:latency=2500]');
    const stop = new AbortController();
    const running = made.run(stop.signal);
    await handleOf(made);
    stop.abort('draining');
    expect(await running).toEqual({ againInMs: 0, isInterrupted: true });
    const left = await made.job();
    expect(left).toMatchObject({ status: 'running', attempts: [{ state: 'calling' }] });
    expect(left).not.toHaveProperty('leaseStartedAt');

    expect(await made.run()).toEqual(done);
    await expectOnePaidImage(made);
  });

  it('stops a call at the provider when the run timeout is over', async () => {
    const made = await backgroundJob('a cat [studio:hang]');
    const stop = new AbortController();
    const running = made.run(stop.signal);
    await handleOf(made);
    stop.abort('run_timeout');
    expect(await running).toEqual(done);
    expect(await made.job()).toMatchObject({ status: 'failed', attempts: [{ state: 'uncertain' }] });
    expect(made.seen('cancellations')).toHaveLength(1);
  });

  it('stops a call at the provider if a newer run owns the job when the handle arrives', async () => {
    const made = await backgroundJob('a cat [studio:hang]');
    made.faults.beforeHandle = () => made.set((job) => beginRun(job, createdAt + 1));
    expect(await made.run()).toEqual(done);
    expect(made.seen('cancellations')).toHaveLength(1);
    expect((await made.job()).attempts).toMatchObject([{ state: 'calling' }]);
  });

  it('writes the handle of a call as soon as an unavailable store recovers', async () => {
    const made = await backgroundJob('a cat');
    made.faults.beforeHandle = async () => {
      made.faults.updates = 3;
    };
    expect(await made.run()).toEqual(done);
    await expectOnePaidImage(made);
    expect(made.handles).toMatchObject([{ written: expect.stringMatching(/^resp_/), polls: 0 }]);
  });

  it('marks a call as uncertain if the provider no longer knows it, and repeats it only with consent', async () => {
    const made = await backgroundJob('a cat');
    const attempt = attemptOf({ state: 'calling', handle: 'resp_of_yesterday' });
    await made.set((job) => ({ ...beginRun(job, createdAt), attempts: [attempt] }));
    expect(await made.run()).toMatchObject({ againInMs: expect.any(Number) });
    expect(made.seen('submissions')).toHaveLength(0);
    expect(await made.run()).toEqual(done);
    expect((await made.job()).attempts).toMatchObject([
      { state: 'uncertain', error: 'provider_outcome_unknown' },
      { state: 'stored' },
    ]);
    expect(made.seen('submissions')).toHaveLength(1);
  });
});
