import { describe, expect, it } from 'vitest';
import { beginRun } from '../../../../src/domain/job-moves.ts';
import { generation } from '../../../support/generation.ts';
import { attemptOf, createdAt } from '../../../support/jobs.ts';

const statesOf = (made: ReturnType<typeof generation>) => made.job().attempts.map(({ state }) => state);

describe('a response on the disk of another worker', () => {
  it('waits two minutes for a response on another disk, however long its worker tried to store it before', async () => {
    const made = generation({ request: { run_timeout_s: 7_200 } });
    made.set((job) => ({
      ...beginRun(job, createdAt),
      attempts: [attemptOf({ state: 'received', receivedAt: createdAt + 900 })],
    }));
    made.passTime(200_000);
    expect(await made.run()).toEqual({ againInMs: 5_000, isInterrupted: true });
    made.passTime(119_000);
    expect(await made.run()).toEqual({ againInMs: 5_000, isInterrupted: true });
    expect(made.calls).toHaveLength(0);
    made.passTime(1_000);
    await made.run();
    expect(statesOf(made)).toEqual(['wasted', 'stored']);
  });

  it('waits for a response on another disk as long as its worker confirms that it has it', async () => {
    const made = generation({ request: { run_timeout_s: 7_200 } });
    made.set((job) => ({
      ...beginRun(beginRun(job, createdAt), createdAt),
      attempts: [attemptOf({ state: 'received', receivedAt: createdAt + 900 })],
    }));
    for (let minutes = 0; minutes < 5; minutes += 1) {
      made.passTime(60_000);
      made.spoolBody(1);
      await made.renewSpooledResponses(new AbortController().signal);
      // The other worker has another disk.
      made.spooled.clear();
      expect(await made.run()).toEqual({ againInMs: 5_000, isInterrupted: true });
    }
    made.spoolBody(1);
    await made.recoverSpooledResponses(new AbortController().signal);
    expect(made.calls).toHaveLength(0);
    expect(made.job().images).toHaveLength(1);
  });
});

describe('a response on this disk whose row the store has lost', () => {
  it('is never replaced by another call, but gets its row again and is stored', async () => {
    const never = new AbortController().signal;
    const made = generation();
    made.spoolBody(1);
    expect(await made.run()).toEqual({ againInMs: 5_000, isInterrupted: true });
    expect(made.calls).toHaveLength(0);
    await made.recoverSpooledResponses(never);
    expect(await made.run()).toEqual({ done: true });
    expect(made.calls).toHaveLength(0);
    expect(statesOf(made)).toEqual(['stored']);
    expect([...made.stored.values()].map(String)).toEqual(['image from before']);
  });
});
