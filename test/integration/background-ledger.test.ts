import { describe, expect, it, vi } from 'vitest';
import { beginRun } from '../../src/domain/job-moves.ts';
import { backgroundJob } from '../support/background-job.ts';
import { attemptOf, createdAt } from '../support/jobs.ts';
import { contextOf, drain, imageCall } from '../support/provider-calls.ts';

const done = { done: true };
type Made = Awaited<ReturnType<typeof backgroundJob>>;

/** A job as a dead worker left it: its only attempt names a call that goes on at the provider. */
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
  expect(made.seen('orders')).toHaveLength(1);
  expect(made.seen('cancellations')).toEqual([]);
  expect(made.chargedImages()).toBe(1);
}

describe('a call with a handle', () => {
  it('has it in the ledger before the first question, and costs what image and language model used', async () => {
    const made = await backgroundJob('a cat');
    expect(await made.run()).toEqual(done);
    await expectOnePaidImage(made);
    const [attempt] = (await made.job()).attempts;
    expect(attempt?.handle).toMatch(/^resp_/);
    // 196 tokens of image at 30, 2 of prompt at 5, and 2 in at 0.75 and 2 out at 4.5 for the language model.
    expect(attempt?.costMicroUsd).toBe(196 * 30 + 2 * 5 + Math.round(2 * 0.75 + 2 * 4.5));
  });

  it.each(['calling', 'received'] as const)(
    'that a dead worker left as %s is taken up for nothing',
    async (state) => {
      const made = await leftBehind('a cat', state);
      expect(await made.run()).toEqual(done);
      await expectOnePaidImage(made);
    },
  );

  it('whose answer the disk does not take is asked for again later, and not paid again', async () => {
    const made = await backgroundJob('a cat');
    made.faults.spoolWrites = 3;
    for (let runs = 0; runs < 3; runs += 1) expect(await made.run()).toEqual({ againInMs: 5_000 });
    expect((await made.job()).attempts).toMatchObject([{ state: 'calling', handle: expect.any(String) }]);
    expect(await made.run()).toEqual(done);
    await expectOnePaidImage(made);
  });

  it('stays as it is when its worker drains, and the next execution takes it up', async () => {
    const made = await backgroundJob('a cat [studio:latency=2500]');
    const stop = new AbortController();
    const running = made.run(stop.signal);
    await handleOf(made);
    stop.abort('draining');
    expect(await running).toEqual({ againInMs: 0 });
    const left = await made.job();
    expect(left).toMatchObject({ status: 'running', attempts: [{ state: 'calling' }] });
    expect(left).not.toHaveProperty('leaseStartedAt');

    expect(await made.run()).toEqual(done);
    await expectOnePaidImage(made);
  });

  it('is stopped at the provider when its time is over', async () => {
    const made = await backgroundJob('a cat [studio:hang]');
    const stop = new AbortController();
    const running = made.run(stop.signal);
    await handleOf(made);
    stop.abort('run_timeout');
    expect(await running).toEqual(done);
    expect(await made.job()).toMatchObject({ status: 'failed', attempts: [{ state: 'uncertain' }] });
    expect(made.seen('cancellations')).toHaveLength(1);
  });

  it('that belongs to a newer execution by the time it has one is stopped at the provider', async () => {
    const made = await backgroundJob('a cat [studio:hang]');
    made.faults.beforeHandle = () => made.set((job) => beginRun(job, createdAt + 1));
    expect(await made.run()).toEqual(done);
    expect(made.seen('cancellations')).toHaveLength(1);
    expect((await made.job()).attempts).toMatchObject([{ state: 'calling' }]);
  });

  it('has it in the ledger as soon as a store that was away is back', async () => {
    const made = await backgroundJob('a cat');
    made.faults.beforeHandle = async () => {
      made.faults.changes = 3;
    };
    expect(await made.run()).toEqual(done);
    await expectOnePaidImage(made);
    expect((await made.job()).attempts[0]?.handle).toMatch(/^resp_/);
  });

  it('that the provider has forgotten is uncertain, and repeated only with consent', async () => {
    const made = await backgroundJob('a cat');
    const attempt = attemptOf({ state: 'calling', handle: 'resp_of_yesterday' });
    await made.set((job) => ({ ...beginRun(job, createdAt), attempts: [attempt] }));
    expect(await made.run()).toEqual(done);
    expect((await made.job()).attempts).toMatchObject([
      { state: 'uncertain', error: 'provider_outcome_unknown' },
      { state: 'stored' },
    ]);
    expect(made.seen('orders')).toHaveLength(1);
  });
});
