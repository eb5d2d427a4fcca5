import { describe, expect, it } from 'vitest';
import type { ImageRequestBody } from '../../src/domain/image-request.ts';
import { connectCore } from '../support/core.ts';
import { expectNothingStored, requestBody, submit } from '../support/submission.ts';

const webhook = { url: 'https://receiver.example/hook' };

/** Returns request fields whose cost limit is exceeded only because of the given fields. */
const overLimitBy = (fields: Partial<ImageRequestBody>): Partial<ImageRequestBody> => ({
  ...{ quality: 'low', size: '1024x1024', max_cost_micro_usd: 5_925 },
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

describe('a cost limit', () => {
  it('accepts a request whose cost may equal the limit, and rejects it at one micro-USD less', async () => {
    const core = await connectCore();
    const open = { model: 'gpt-image-2.6-flare', prompt: 'x'.repeat(8), quality: 'auto' };
    const { estimate } = await core.submitJob.preview({ ...requestBody, ...open });
    const high = estimate?.high ?? 0;
    // This is the most expensive choice of the model at 1024x1024: 7,024 tokens.
    expect(high).toBe(7_024 * 30 + (4 + 6) * 5);
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
    const preview = await core.submitJob.preview({ ...requestBody, size: '1024x1024', webhook });
    const estimate = { low: 5_890, high: 5_925 };
    expect(preview).toMatchObject({ estimate, queueDepth: 0, warnings: [] });
    expect(preview.request.model).toBe('gpt-image-2');
    await expectNothingStored(core);
  });
});
