import { describe, expect, it } from 'vitest';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { beginRun, finish, releaseRun } from '../../src/domain/job-moves.ts';
import { type Core, connectCore } from '../support/core.ts';
import { submit } from '../support/submission.ts';

const dayMs = 86_400_000;

/** Submits a job with a key whose run begins at once. Its record lives for an hour after its end. */
async function startJob(core: Core): Promise<ImageJob> {
  const { job } = await submit(core, { retention: { record_s: 3_600 } }, 'key');
  return change(core, job, (now) => beginRun(now, core.clock()));
}

async function change(core: Core, job: ImageJob, move: (job: ImageJob) => ImageJob): Promise<ImageJob> {
  const changed = await core.updateJob(job, move);
  if (!changed) throw new Error('The job is gone.');
  return changed;
}

const block = (core: Core, job: ImageJob, forMs: number) =>
  change(core, job, (now) =>
    releaseRun(now, core.clock(), { scope: 'openai', untilMs: core.clock() + forMs }),
  );

const claimOf = (core: Core, { tenant, claim }: ImageJob) =>
  core.keys.idempotency(tenant, claim?.keyHash ?? '');

/** Returns for how long the key still names the job, in milliseconds. */
const claimLeftMs = (core: Core, job: ImageJob) => core.redis.pttl(claimOf(core, job));

/** Advances the clock of the core, and shortens the claim as the clock of Redis would. */
async function passDays(core: Core, job: ImageJob, days: number): Promise<void> {
  core.passTime(days * dayMs);
  await core.redis.pexpire(claimOf(core, job), (await claimLeftMs(core, job)) - days * dayMs);
}

describe('an idempotency key', () => {
  it('names a job for as long as the job waits for a blocked provider', async () => {
    const core = await connectCore();
    const blocked = await block(core, await startJob(core), 2 * dayMs);
    expect(await claimLeftMs(core, blocked)).toBeGreaterThan(2 * dayMs);
    await passDays(core, blocked, 2);
    const again = await change(core, blocked, (now) => beginRun(now, core.clock()));
    const longer = await block(core, again, 2 * dayMs);
    expect(await claimLeftMs(core, longer)).toBeGreaterThan(2 * dayMs);
  });

  it('names a job until its record expires, also if the retention was longer at its end', async () => {
    const core = await connectCore();
    const job = await startJob(core);
    const retention = { mediaSeconds: 3_600, recordSeconds: 7 * 86_400 };
    const ended = await change(core, job, (now) => finish(now, 'failed', { nowMs: core.clock(), retention }));
    expect(await claimLeftMs(core, ended)).toBeGreaterThan(7 * dayMs);
  });

  it('of a later job keeps its lifetime when an earlier job of the key changes', async () => {
    const core = await connectCore();
    const job = await startJob(core);
    const name = claimOf(core, job);
    await core.redis.set(name, 'fingerprint img_later', 'PX', 60_000);
    await block(core, job, 2 * dayMs);
    expect(await core.redis.pttl(name)).toBeLessThanOrEqual(60_000);
  });
});
