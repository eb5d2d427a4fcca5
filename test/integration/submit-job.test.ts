import { describe, expect, it, onTestFinished } from 'vitest';
import type { Caller } from '../../src/domain/api-key.ts';
import type { ImageRequestBody } from '../../src/domain/image-request.ts';
import { CatalogueFile, createCatalogue } from '../../src/domain/model-catalogue.ts';
import { readBuiltIn } from '../../src/lib/data-files.ts';
import { type Core, connectCore } from '../support/core.ts';
import { startTestRedis } from '../support/redis.ts';

const caller: Caller = { tenant: 'acme', keyId: 'key_1', scopes: new Set(['images:write']) };
const body: ImageRequestBody = { prompt: 'A fox', quality: 'low', metadata: { a: '1', b: '2' } };
const webhook = { url: 'https://receiver.example/hook' };

const submit = (
  core: Pick<Core, 'submitJob'>,
  more: Partial<ImageRequestBody> = {},
  idempotencyKey?: string,
) => core.submitJob.submit({ caller, body: { ...body, ...more }, idempotencyKey });

async function expectNothingStored(core: Core): Promise<void> {
  expect(await core.records.list('acme', { limit: 10 })).toEqual({ jobs: [], nextBeforeId: null });
  expect(await core.records.countOpen('acme')).toBe(0);
  expect(await core.jobQueue.counts()).toMatchObject({ waiting: 0, delayed: 0 });
  expect(await core.redis.keys(`*${core.prefix}*`)).toEqual([]);
}

/** Returns request fields whose cost limit is exceeded only because of the given fields. */
const overLimitBy = (fields: Partial<ImageRequestBody>): Partial<ImageRequestBody> => ({
  ...{ quality: 'low', size: '1024x1024', max_cost_micro_usd: 5_900 },
  ...fields,
});

describe('a rejected request', () => {
  it.each<[string, string, Partial<ImageRequestBody>]>([
    ['a lone surrogate', 'validation_failed', { prompt: '\ud800' }],
    ['an unknown preset', 'validation_failed', { preset: 'nonsense' }],
    [
      'a wrong preset variable',
      'validation_failed',
      { preset: { name: 'avatar', variables: { nonsense: 'x' } } },
    ],
    ['a model that was shut down', 'model_retired', { model: 'dall-e-3' }],
    ['a value that the model does not take', 'validation_failed', { quality: 'ultra' }],
    ['images stored for too long', 'validation_failed', { retention: { media_s: 3_601 } }],
    ['a record stored for too long', 'validation_failed', { retention: { record_s: 7_201 } }],
    ['a blank prompt', 'validation_failed', { prompt: ' \n' }],
    ['a forbidden address', 'destination_forbidden', { webhook: { url: 'https://127.0.0.1/hook' } }],
    ['an estimate above the limit', 'max_cost_exceeded', { max_cost_micro_usd: 5_000 }],
    ['a limit and an unknown cost', 'cost_unknown', { model: 'unknown', max_cost_micro_usd: 1_000_000_000 }],
    [
      'a prompt too long for its preset',
      'validation_failed',
      { prompt: 'x'.repeat(31_900), preset: 'avatar' },
    ],
    [
      'an estimate above the limit by its preset alone',
      'max_cost_exceeded',
      overLimitBy({ preset: 'avatar' }),
    ],
    [
      'an estimate above the limit by its description alone',
      'max_cost_exceeded',
      overLimitBy({ enhance: 'always' }),
    ],
    ['a reserved provider option', 'validation_failed', { provider_options: { n: 10 } }],
  ])(
    'rejects a request because of %s and stores nothing, not even its idempotency key',
    async (_name, code, fault) => {
      const core = await connectCore();
      await expect(submit(core, fault, 'key')).rejects.toMatchObject({ code });
      await expectNothingStored(core);
      expect(await submit(core, {}, 'key')).toMatchObject({ replayed: false });
    },
  );

  it('names the field if a record would expire before its images', async () => {
    const core = await connectCore();
    await expect(submit(core, { retention: { media_s: 600, record_s: 599 } })).rejects.toMatchObject({
      code: 'validation_failed',
      issues: [{ pointer: '/retention/media_s' }],
    });
    await expectNothingStored(core);
    for (const fits of [{ media_s: 60 }, { media_s: 600, record_s: 600 }, { record_s: 60 }]) {
      await submit(core, { retention: fits });
    }
  });

  it('rejects an unknown model if the deployment disallows unknown models', async () => {
    const core = await connectCore({ policy: { allowUnknownModels: false } });
    await expect(submit(core, { model: 'unknown' })).rejects.toMatchObject({ code: 'model_unknown' });
    await expectNothingStored(core);
  });

  it('accepts a request again after a rejection for too many open jobs', async () => {
    const core = await connectCore({ policy: { maxOpenJobsPerTenant: 1 } });
    const first = await submit(core);
    await expect(submit(core, {}, 'key')).rejects.toMatchObject({
      code: 'queue_full',
      retryAfterSeconds: 30,
    });
    await core.cancelJob('acme', first.job.id);
    expect(await submit(core, {}, 'key')).toMatchObject({ replayed: false });
  });
});

describe('an accepted request', () => {
  it('stores a job with the defaults of the deployment and enqueues it', async () => {
    const core = await connectCore();
    const { job, replayed } = await submit(core, { priority: 'high' });
    expect(replayed).toBe(false);
    expect(job).toMatchObject({
      status: 'queued',
      request: { ...body, model: 'gpt-image-2', n: 1, size: 'auto', queue_ttl_s: 600, run_timeout_s: 300 },
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
      core.submitJob.submit({ caller, body, parentId, idempotencyKey: 'key' });
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

describe('a cost limit', () => {
  it('accepts a request whose cost may equal the limit, and rejects it at one micro-USD less', async () => {
    const core = await connectCore();
    const open = { model: 'gpt-image-2.6-flare', prompt: 'x'.repeat(8), quality: 'auto' };
    const { estimate } = await core.submitJob.preview({ ...body, ...open });
    const high = estimate?.high ?? 0;
    // This is the most expensive choice of the model at 1024x1024: 7,024 tokens.
    expect(high).toBe(7_024 * 30 + 4 * 5);
    await expect(submit(core, { ...open, max_cost_micro_usd: high - 1 })).rejects.toMatchObject({
      code: 'max_cost_exceeded',
    });
    expect(await submit(core, { ...open, max_cost_micro_usd: high })).toMatchObject({ replayed: false });
  });

  it('accepts a request of unknown cost if the deployment allows it', async () => {
    const core = await connectCore({ policy: { allowUnknownCost: true } });
    const accepted = await submit(core, { model: 'gpt-image-9', max_cost_micro_usd: 1 });
    expect(accepted.job.status).toBe('queued');
  });
});

describe('a preview', () => {
  it('reports the effect and the cost of a request and stores nothing', async () => {
    const core = await connectCore();
    const preview = await core.submitJob.preview({ ...body, size: '1024x1024', webhook });
    const estimate = { low: 5_890, high: 5_900 };
    expect(preview).toMatchObject({ estimate, queueDepth: 0, warnings: [] });
    expect(preview.request.model).toBe('gpt-image-2');
    await expectNothingStored(core);
  });
});
