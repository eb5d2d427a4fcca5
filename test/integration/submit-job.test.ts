import { describe, expect, it, onTestFinished } from 'vitest';
import { CatalogueFile } from '../../src/domain/catalogue-file.ts';
import { createCatalogue } from '../../src/domain/model-catalogue.ts';
import { readBuiltIn } from '../../src/lib/data-files.ts';
import { connectCore } from '../support/core.ts';
import { startTestRedis } from '../support/redis.ts';
import { caller, requestBody, submit } from '../support/submission.ts';

const webhook = { url: 'https://receiver.example/hook' };

describe('an accepted request', () => {
  it('stores a job with the defaults of the deployment and enqueues it', async () => {
    const core = await connectCore();
    const { job, replayed } = await submit(core, { priority: 'high' });
    expect(replayed).toBe(false);
    expect(job).toMatchObject({
      status: 'queued',
      request: {
        ...requestBody,
        model: 'gpt-image-2',
        n: 1,
        size: 'auto',
        queue_ttl_s: 600,
        run_timeout_s: 300,
      },
    });
    expect(await core.records.get('acme', job.id)).toEqual(job);
    expect(await core.jobQueue.position(job.id)).toBe(0);
  });

  it('uses the defaults of the preset for fields that the caller omits', async () => {
    const core = await connectCore();
    const { job } = await submit(core, { preset: 'avatar' });
    expect(job.request).toMatchObject({ preset: 'avatar', quality: 'low' });
  });

  it('writes the event together with the job and enqueues its dispatch', async () => {
    const core = await connectCore();
    const { job } = await submit(core, { webhook });
    const [id = ''] = await core.events.listUndispatched('acme', { beforeMs: job.createdAt + 1, limit: 10 });
    expect(await core.events.undispatched('acme', id)).toMatchObject({ type: 'image.queued', job });
    expect(await core.webhookQueue.has([id])).toEqual([true]);
  });

  it('writes no event and no task if the webhook does not subscribe to it', async () => {
    const core = await connectCore();
    const { job } = await submit(core, { webhook: { ...webhook, events: ['image.failed'] } });
    expect(await core.events.listUndispatched('acme', { beforeMs: job.createdAt + 1, limit: 10 })).toEqual(
      [],
    );
    expect(await core.webhookQueue.counts()).toEqual({ waiting: 0, delayed: 0, active: 0 });
  });

  it('accepts a request during an outage of the queue, and the reconciler enqueues the job', async () => {
    const queues = await startTestRedis();
    onTestFinished(() => queues.stop());
    const core = await connectCore({ queueAddress: queues.path });
    await queues.kill9();
    const { job } = await submit(core, { webhook });
    expect(await core.records.get('acme', job.id)).toEqual(job);
    await queues.restart();
    await expect
      .poll(() => core.jobQueue.has([job.id]).catch(() => null), { timeout: 10_000 })
      .toEqual([false]);
    core.passTime(1);
    await core.reconcile();
    core.passTime(6_000);
    await core.reconcile();
    expect(await core.jobQueue.has([job.id])).toEqual([true]);
    expect(await core.webhookQueue.counts()).toMatchObject({ waiting: 1 });
  });
});

describe('a repeated request', () => {
  it('returns the same job for the same key in any field order, and enqueues it once', async () => {
    const core = await connectCore();
    const first = await submit(core, {}, 'key');
    const shuffled = { metadata: { b: '2', a: '1' }, quality: 'low', prompt: 'A fox' };
    const again = await core.submitJob.submit({ caller, body: shuffled, idempotencyKey: 'key' });
    expect(again).toEqual({ job: first.job, replayed: true });
    expect(await core.jobQueue.counts()).toMatchObject({ waiting: 1 });
  });

  it('creates one job and one task for 50 concurrent requests with the same key', async () => {
    const core = await connectCore();
    const accepted = await Promise.all(Array.from({ length: 50 }, () => submit(core, {}, 'key')));
    expect(accepted.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(accepted.map(({ job }) => job.id)).size).toBe(1);
    expect(await core.jobQueue.counts()).toMatchObject({ waiting: 1 });
    expect(await core.records.countOpen('acme')).toBe(1);
  });

  it('enqueues a job without a task when its request is repeated', async () => {
    const core = await connectCore();
    const { job } = await submit(core, {}, 'key');
    await core.jobQueue.remove(job.id);
    await submit(core, {}, 'key');
    await expect.poll(() => core.jobQueue.has([job.id])).toEqual([true]);
  });

  it('rejects a repeated request, without paying again, if the record of its job expired before the key', async () => {
    const core = await connectCore();
    const short = { retention: { record_s: 60 } };
    const { job } = await submit(core, short, 'key');
    await core.records.remove(job);
    await expect(submit(core, short, 'key')).rejects.toMatchObject({ code: 'erased' });
    expect(await core.records.list('acme', { limit: 10 })).toEqual({ jobs: [], nextBeforeId: null });
  });

  it('creates another job for a repeated request after the record of a free job was removed, a day after the submission', async () => {
    const core = await connectCore();
    const { job } = await submit(core, {}, 'key');
    const name = core.keys.idempotency('acme', job.claim?.keyHash ?? '');
    expect(await core.redis.pexpire(name, (job.claim?.ttlMs ?? 0) - 24 * 3_600_000)).toBe(1);
    await core.records.remove(job);
    expect(await submit(core, {}, 'key')).toMatchObject({ replayed: false });
  });

  it('creates another job for a repeated request without a key', async () => {
    const core = await connectCore();
    expect((await submit(core)).job.id).not.toBe((await submit(core)).job.id);
  });

  it('rejects another body under the same key', async () => {
    const core = await connectCore();
    await submit(core, {}, 'key');
    for (const other of [{ n: 2 }, { prompt: 'A Fox' }, { metadata: { a: '1' } }])
      await expect(submit(core, other, 'key')).rejects.toMatchObject({ code: 'idempotency_key_reused' });
  });

  it('returns the job with its original decisions after the rules have changed', async () => {
    const core = await connectCore();
    const first = await submit(core, {}, 'key');
    const file = CatalogueFile.parse(readBuiltIn('catalogue.json'));
    const retired = file.models.map((model) => ({ ...model, status: 'retired' as const }));
    const after = await core.beside({
      catalogue: createCatalogue({ ...file, models: retired }),
      policy: { allowUnknownModels: false, defaultModel: 'gpt-image-2.6-flare', maxMediaSeconds: 1 },
    });
    expect(await submit(after, {}, 'key')).toEqual({ job: first.job, replayed: true });
    await expect(submit(after, {}, 'other key')).rejects.toMatchObject({ code: 'model_retired' });
  });

  it('rejects the key of a retry of one job if it is used for a retry of another job', async () => {
    const core = await connectCore();
    const retry = (parentId: string) =>
      core.submitJob.submit({ caller, body: requestBody, parentId, idempotencyKey: 'key' });
    const first = await retry('img_1');
    expect(first.job.parentId).toBe('img_1');
    expect(await retry('img_1')).toMatchObject({ replayed: true });
    await expect(retry('img_2')).rejects.toMatchObject({ code: 'idempotency_key_reused' });
  });
});

describe('the preset of a request', () => {
  it('stores the preset with the job as it was when the job was accepted', async () => {
    const core = await connectCore();
    const { job } = await submit(core, { preset: 'avatar' });
    const kept = await core.records.get('acme', job.id);
    expect(kept?.promptTemplate?.join('A fox')).toContain('A fox');
    expect(kept?.promptTemplate).toEqual(job.promptTemplate);
  });
});
