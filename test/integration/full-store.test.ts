import { expect, it, onTestFinished } from 'vitest';
import { purgeMedia } from '../../src/domain/job-erasure.ts';
import { finish } from '../../src/domain/job-moves.ts';
import { connectCore } from '../support/core.ts';
import { createdAt, finishedJob, queuedJob, retention } from '../support/jobs.ts';
import { startTestRedis } from '../support/redis.ts';

it('the sweeper removes expired records from a Redis whose memory is full', async () => {
  const server = await startTestRedis();
  onTestFinished(server.stop);
  const core = await connectCore({ recordsAddress: server.path });
  const webhook = { url: 'https://receiver.example/hook' };
  const [canceled, purged] = [queuedJob({ request: { webhook } }), queuedJob({ request: { webhook } })];
  for (const job of [canceled, purged]) await core.records.submit({ job, maxOpenJobs: 10 });
  await core.change(canceled, (job) => finish(job, 'canceled', { nowMs: createdAt, retention }));
  await core.change(purged, (job) => purgeMedia(finishedJob(job), createdAt));
  await core.usage.archiveTenant('acme');

  await core.redis.config('SET', 'maxmemory', '1');
  core.passTime(2 * retention.recordSeconds * 1000);
  await core.sweep();
  for (const { id } of [canceled, purged]) expect(await core.records.get('acme', id)).toBeNull();
});
