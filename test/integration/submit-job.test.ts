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

async function expectNothingKept(core: Core): Promise<void> {
  expect(await core.records.list('acme', { limit: 10 })).toEqual({ jobs: [], nextBeforeId: null });
  expect(await core.records.countOpen('acme')).toBe(0);
  expect(await core.jobQueue.counts()).toMatchObject({ waiting: 0, delayed: 0 });
  expect(await core.redis.keys(`*${core.prefix}*`)).toEqual([]);
}

/** A limit that the same order keeps to without the given fields. */
const overLimitBy = (fields: Partial<ImageRequestBody>): Partial<ImageRequestBody> => ({
  ...{ quality: 'low', size: '1024x1024', max_cost_micro_usd: 5_900 },
  ...fields,
});

describe('a request that cannot be accepted', () => {
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
    ['images kept for too long', 'validation_failed', { retention: { media_s: 3_601 } }],
    ['a record kept for too long', 'validation_failed', { retention: { record_s: 7_201 } }],
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
  ])('because of %s is refused and leaves nothing behind, not even its key', async (_name, code, fault) => {
    const core = await connectCore();
    await expect(submit(core, fault, 'key')).rejects.toMatchObject({ code });
    await expectNothingKept(core);
    expect(await submit(core, {}, 'key')).toMatchObject({ replayed: false });
  });

  it('because a record would go before its images names the field', async () => {
    const core = await connectCore();
    await expect(submit(core, { retention: { media_s: 600, record_s: 599 } })).rejects.toMatchObject({
      code: 'validation_failed',
      issues: [{ pointer: '/retention/media_s' }],
    });
    await expectNothingKept(core);
    for (const fits of [{ media_s: 60 }, { media_s: 600, record_s: 600 }, { record_s: 60 }]) {
      await submit(core, { retention: fits });
    }
  });

  it('because its model is unknown is refused where the deployment wants that', async () => {
    const core = await connectCore({ policy: { allowUnknownModels: false } });
    await expect(submit(core, { model: 'unknown' })).rejects.toMatchObject({ code: 'model_unknown' });
    await expectNothingKept(core);
  });

  it('because too many jobs are open can be sent again later', async () => {
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
  it('is kept, with the defaults of the deployment, and queued', async () => {
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

  it('takes the defaults of its preset where the caller says nothing', async () => {
    const core = await connectCore();
    const { job } = await submit(core, { preset: 'avatar' });
    expect(job.request).toMatchObject({ preset: 'avatar', quality: 'low' });
  });

  it('causes its event in the same step, which is queued to be announced', async () => {
    const core = await connectCore();
    const { job } = await submit(core, { webhook });
    const [id = ''] = await core.events.listUndispatched('acme', { beforeMs: job.createdAt + 1, limit: 10 });
    expect(await core.events.undispatched('acme', id)).toMatchObject({ type: 'image.queued', job });
    expect(await core.webhookQueue.has([id])).toEqual([true]);
  });

  it('that nobody asked to be told of causes no event and no task', async () => {
    const core = await connectCore();
    const { job } = await submit(core, { webhook: { ...webhook, events: ['image.failed'] } });
    expect(await core.events.listUndispatched('acme', { beforeMs: job.createdAt + 1, limit: 10 })).toEqual(
      [],
    );
    expect(await core.webhookQueue.counts()).toEqual({ waiting: 0, delayed: 0, active: 0 });
  });

  it('is accepted although the queue is away: the reconciler queues it', async () => {
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

describe('the same request again', () => {
  it('under the same key is the same job, however its fields are ordered, and is queued once', async () => {
    const core = await connectCore();
    const first = await submit(core, {}, 'key');
    const shuffled = { metadata: { b: '2', a: '1' }, quality: 'low', prompt: 'A fox' };
    const again = await core.submitJob.submit({ caller, body: shuffled, idempotencyKey: 'key' });
    expect(again).toEqual({ job: first.job, replayed: true });
    expect(await core.jobQueue.counts()).toMatchObject({ waiting: 1 });
  });

  it('sent 50 times at once is one job and one task', async () => {
    const core = await connectCore();
    const accepted = await Promise.all(Array.from({ length: 50 }, () => submit(core, {}, 'key')));
    expect(accepted.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(accepted.map(({ job }) => job.id)).size).toBe(1);
    expect(await core.jobQueue.counts()).toMatchObject({ waiting: 1 });
    expect(await core.records.countOpen('acme')).toBe(1);
  });

  it('has a job queued that never got its task', async () => {
    const core = await connectCore();
    const { job } = await submit(core, {}, 'key');
    await core.jobQueue.remove(job.id);
    await submit(core, {}, 'key');
    await expect.poll(() => core.jobQueue.has([job.id])).toEqual([true]);
  });

  it('is refused, not paid again, when the record of its job was kept for less than the key', async () => {
    const core = await connectCore();
    const short = { retention: { record_s: 60 } };
    const { job } = await submit(core, short, 'key');
    await core.records.remove(job);
    await expect(submit(core, short, 'key')).rejects.toMatchObject({ code: 'erased' });
    expect(await core.records.list('acme', { limit: 10 })).toEqual({ jobs: [], nextBeforeId: null });
  });

  it('without a key is another job', async () => {
    const core = await connectCore();
    expect((await submit(core)).job.id).not.toBe((await submit(core)).job.id);
  });

  it('with another body under the same key is refused', async () => {
    const core = await connectCore();
    await submit(core, {}, 'key');
    for (const other of [{ n: 2 }, { prompt: 'A Fox' }, { metadata: { a: '1' } }])
      await expect(submit(core, other, 'key')).rejects.toMatchObject({ code: 'idempotency_key_reused' });
  });

  it('is replayed after the rules have changed, with what was decided then', async () => {
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

  it('is another one when it is a retry of another job', async () => {
    const core = await connectCore();
    const retry = (parentId: string) =>
      core.submitJob.submit({ caller, body, parentId, idempotencyKey: 'key' });
    const first = await retry('img_1');
    expect(first.job.parentId).toBe('img_1');
    expect(await retry('img_1')).toMatchObject({ replayed: true });
    await expect(retry('img_2')).rejects.toMatchObject({ code: 'idempotency_key_reused' });
  });
});

describe('a preset', () => {
  it('is kept with the job as it was when the job was accepted', async () => {
    const core = await connectCore();
    const { job } = await submit(core, { preset: 'avatar' });
    const kept = await core.records.get('acme', job.id);
    expect(kept?.promptTemplate?.join('A fox')).toContain('A fox');
    expect(kept?.promptTemplate).toEqual(job.promptTemplate);
  });
});

describe('a cost limit', () => {
  it('admits a request that may cost exactly as much, and refuses it one micro-USD below', async () => {
    const core = await connectCore();
    const open = { model: 'gpt-image-2.6-flare', prompt: 'x'.repeat(8), quality: 'auto' };
    const { estimate } = await core.submitJob.preview({ ...body, ...open });
    const high = estimate?.high ?? 0;
    // The dearest choice of the model at 1024x1024: 7,024 tokens.
    expect(high).toBe(7_024 * 30 + 4 * 5);
    await expect(submit(core, { ...open, max_cost_micro_usd: high - 1 })).rejects.toMatchObject({
      code: 'max_cost_exceeded',
    });
    expect(await submit(core, { ...open, max_cost_micro_usd: high })).toMatchObject({ replayed: false });
  });

  it('admits a request of unknown cost if the deployment allows it', async () => {
    const core = await connectCore({ policy: { allowUnknownCost: true } });
    const accepted = await submit(core, { model: 'gpt-image-9', max_cost_micro_usd: 1 });
    expect(accepted.job.status).toBe('queued');
  });
});

describe('a preview', () => {
  it('says what would happen and what it costs, and keeps nothing', async () => {
    const core = await connectCore();
    const preview = await core.submitJob.preview({ ...body, size: '1024x1024', webhook });
    const estimate = { low: 5_890, high: 5_900 };
    expect(preview).toMatchObject({ estimate, queueDepth: 0, warnings: [] });
    expect(preview.request.model).toBe('gpt-image-2');
    await expectNothingKept(core);
  });
});
