import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { addMany } from '../support/job-queue.ts';
import { emptyJobQueue } from '../support/queue.ts';
import { done, withRetry } from '../support/queue-tasks.ts';

describe('jobs that continue after a delay', () => {
  it.each([
    { wait: 'a retry', again: { againInMs: 100, isInterrupted: true } },
    { wait: 'a blocked scope', again: { againInMs: 100 } },
  ])(
    'wait for $wait and leave every other turn to another tenant, although they fill all slots',
    async ({ again }) => {
      const subject = await emptyJobQueue();
      const ran: string[] = [];
      let runMs = 0;
      subject.startWorker(
        async ({ tenant }) => {
          ran.push(tenant);
          if (tenant === 'other') return done;
          await sleep(runMs);
          return again;
        },
        { concurrency: 2 },
      );
      await addMany(subject, 'acme', { count: 100 });
      await expect.poll(() => ran.length, withRetry).toBeGreaterThan(100);
      // From here on, the runs of these jobs would need ten times the slots.
      runMs = 20;
      const before = ran.length;
      await addMany(subject, 'other', { count: 10 });
      const runsOfOther = () => ran.filter((tenant) => tenant === 'other').length;
      await expect.poll(runsOfOther, withRetry).toBe(10);
      expect(ran.slice(before).lastIndexOf('other')).toBeLessThan(60);
    },
  );
});
