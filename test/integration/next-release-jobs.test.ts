import { describe, expect, it } from 'vitest';
import { imageKeysOf } from '../../src/domain/image.ts';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { beginRun } from '../../src/domain/job-moves.ts';
import { createEraseJob } from '../../src/usecases/jobs/erase-job.ts';
import { createStreamJobEvents } from '../../src/usecases/jobs/stream-job-events.ts';
import { commandLine } from '../support/api-keys.ts';
import { type Core, connectCore } from '../support/core.ts';
import { createdAt, finishedJob, queuedJob, retention } from '../support/jobs.ts';
import { asNextRelease, nextRelease, writeRecord } from '../support/next-release.ts';

/** Submits a job and rewrites its record as the next release would. */
async function newerJob(core: Core, change: (job: ImageJob) => object): Promise<ImageJob> {
  const job = queuedJob({ request: { queue_ttl_s: 60, run_timeout_s: 60 } });
  await core.records.submit({ job, maxOpenJobs: 10 });
  const newer = asNextRelease(change(job) as ImageJob);
  await writeRecord(core, newer);
  return newer;
}

const stored = (core: Core, { tenant, id }: ImageJob) => core.records.get(tenant, id);
const leftAlone: [string, (job: ImageJob) => object][] = [
  ['an unknown status', (job) => ({ ...job, status: 'paused' })],
  ['a newer schema', (job) => ({ ...beginRun(job, createdAt), schema: 2 })],
  ['an unknown status after its end', (job) => ({ ...finishedJob(job), status: 'archived' })],
];

describe('a job of the next release', () => {
  it.each(leftAlone)(
    'reads a job of the next release and never changes it if it has %s',
    async (_what, change) => {
      const core = await connectCore();
      const job = await newerJob(core, change);
      core.passTime(365 * 86_400_000);
      await core.sweep();
      await core.reconcile();
      await core.reconcile();
      expect(await core.getJob.get(job.tenant, job.id)).toEqual(job);
      expect(await core.jobQueue.has([job.id])).toEqual([false]);
      await expect(core.cancelJob(job.tenant, job.id)).rejects.toMatchObject({ code: 'newer_release' });
      await expect(
        createEraseJob(core)({ tenant: job.tenant, actor: commandLine }, job.id),
      ).rejects.toMatchObject({ code: 'newer_release' });
      expect(await stored(core, job)).toEqual(job);
    },
  );

  it('cancels, expires and purges a newer job if only fields are new, and loses none of them', async () => {
    const core = await connectCore();
    const [canceled, expired, ended] = [
      await newerJob(core, (job) => job),
      await newerJob(core, (job) => job),
      await newerJob(core, (job) => finishedJob(job)),
    ];
    await core.cancelJob(canceled.tenant, canceled.id);
    core.passTime(60_001);
    await core.sweep();
    expect(await stored(core, canceled)).toMatchObject({
      status: 'canceled',
      budgetHold: nextRelease.budgetHold,
    });
    expect(await stored(core, expired)).toMatchObject({
      status: 'expired',
      budgetHold: nextRelease.budgetHold,
      attempts: [nextRelease.attempt],
    });
    await core.redis.zadd(core.keys.due(ended.tenant), 0, ended.id);
    core.passTime(retention.mediaSeconds * 1000);
    await core.sweep();
    expect(await stored(core, ended)).toMatchObject({
      images: [],
      mediaGone: true,
      variants: nextRelease.variants,
    });
  });

  it('erases a newer job with the bytes of its newer attempts and of renditions that only that release makes', async () => {
    const core = await connectCore();
    const job = await newerJob(core, finishedJob);
    const folder = `${job.tenant}/${job.id}`;
    const [unrecorded = ''] = imageKeysOf(job, nextRelease.attempt);
    const files = [`${folder}/0.png`, `${folder}/thumb-0.webp`, unrecorded];
    for (const key of files) await core.storage.put(key, Buffer.from('bytes'), { contentType: 'image/png' });
    await createEraseJob(core)({ tenant: job.tenant, actor: commandLine }, job.id);
    for (const key of files) expect(await core.storage.read(key)).toBeNull();
    core.passTime(900_000);
    await core.sweep();
    expect(await stored(core, job)).toMatchObject({ mediaGone: true, images: [] });
  });

  it('streams a newer job with the fallbacks of unknown statuses and stages, up to its end', async () => {
    const core = await connectCore();
    const job = await newerJob(core, (queued) => {
      const ended = finishedJob(queued);
      const paused = { at: createdAt + 1, status: 'paused', stage: 'screening' };
      return { ...ended, history: [ended.history[0], paused, ...ended.history.slice(1)] };
    });
    const moments = [];
    const watch = createStreamJobEvents(core);
    for await (const moment of watch(job, 0, new AbortController().signal)) moments.push(moment);
    expect(moments.slice(0, 3)).toMatchObject([
      { no: 1, type: 'image.queued', status: 'queued', stage: null },
      { no: 2, type: 'image.progress', status: 'running', stage: null },
      { no: 3, type: 'image.started', status: 'running', stage: null },
    ]);
    expect(moments.at(-1)).toMatchObject({ type: 'image.succeeded' });
  });
});
