import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { outputTokens } from '../../src/domain/cost.ts';
import { noiseImage } from '../support/images.ts';
import { type ScriptedServer, startScriptedServer } from '../support/scripted-server.ts';
import { startService, type TestService } from '../support/service.ts';

/** Tests estimates against a provider that counts four times as many tokens as the published formula, for the dearest quality. */

const scale = 4;
const imageTokens = scale * outputTokens(96, 1024, 1024);
/** Tokens of an image with an option that only this provider knows. */
const thinkingTokens = 90_000;
let provider: ScriptedServer;
let service: TestService;
beforeAll(async () => {
  const b64_json = (await noiseImage(64, 64)).toString('base64');
  provider = await startScriptedServer((response, { body }) => {
    const { prompt, thinking } = JSON.parse(body);
    const input_tokens = scale * (6 + Math.ceil(prompt.length / 4));
    const output_tokens = thinking ? thinkingTokens : imageTokens;
    const usage = { input_tokens, output_tokens, total_tokens: input_tokens + output_tokens };
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ data: [{ b64_json }], usage }));
  });
  service = await startService({ OPENAI_BASE_URL: provider.url, WORKER_CONCURRENCY: '8' });
}, 60_000);
afterAll(async () => {
  await service.close();
  await provider.close();
});

const highOf = async (request: object, caller = service.acme): Promise<number> => {
  const { body } = await caller.post('/images?dry_run=true').send(request).expect(200);
  return body.estimate.high_micro_usd;
};
const metric = async (name: string): Promise<number> => {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(name))
      ?.split(' ')[1] ?? 0,
  );
};

describe('an estimate after 200 images of a provider that counts 4 times the tokens', () => {
  it('is not below the bill and at most 10 % above it, if the quality is left to the model', async () => {
    const common = { model: 'gpt-image-2', size: '1024x1024' };
    const prompts = Array.from({ length: 20 }, (_, no) =>
      `A red fox in the snow, take ${no}. `.repeat(1 + (no % 4)),
    );
    await Promise.all(prompts.map((prompt) => service.acme.generate({ ...common, prompt, n: 10 })));
    await vi.waitFor(
      async () => {
        for (const prompt of ['A fox', 'A wide landscape with many small houses under a blue sky']) {
          const high = await highOf({ ...common, prompt });
          const bill = imageTokens * 30;
          const text = scale * (6 + Math.ceil(prompt.length / 4)) * 5;
          expect(high).toBeGreaterThanOrEqual(bill + text);
          expect(high).toBeLessThanOrEqual(1.1 * (bill + text));
        }
      },
      { timeout: 10_000, interval: 200 },
    );
    const job = await service.acme.generate({ ...common, prompt: 'A fox' });
    expect(job.cost.micro_usd).toBeLessThanOrEqual(await highOf({ ...common, prompt: 'A fox' }));
  });

  it('shows in a metric how many bills were above and below the estimate', async () => {
    const count = await metric('darkroom_estimate_error_ratio_count{bound="high"}');
    expect(count).toBeGreaterThanOrEqual(200);
    // The first images cost four times what the formula says.
    expect(await metric('darkroom_estimate_error_ratio_bucket{le="1",bound="high"}')).toBeLessThan(count);
    expect(await metric('darkroom_estimate_error_ratio_bucket{le="4",bound="high"}')).toBe(count);
    expect(await metric('darkroom_bills_above_hold_total')).toBeGreaterThan(0);
    expect(await metric('darkroom_bills_above_hold_micro_usd_total')).toBeGreaterThan(0);
  });
});

describe('an option that only the provider knows', () => {
  it('raises the estimates of requests with this option, and of no other request of any tenant', async () => {
    const plain = { model: 'gpt-image-2', size: '1024x1024', quality: 'low', prompt: 'A fox' };
    const thinking = { ...plain, provider_options: { thinking: 'deep' } };
    await service.acme.generate(thinking);
    await vi.waitFor(async () => expect(await highOf(thinking)).toBeGreaterThanOrEqual(thinkingTokens * 30), {
      timeout: 10_000,
      interval: 200,
    });
    expect(await highOf(plain, service.other)).toBeLessThan((thinkingTokens * 30) / 10);
  });
});

describe('a default quality', () => {
  it('is the explicit quality of requests that name none, if their model has it', async () => {
    const chosen = await startService({ OPENAI_BASE_URL: provider.url, DEFAULT_QUALITY: 'xhigh' });
    const previewOf = async (fields: object) =>
      (
        await chosen.acme
          .post('/images?dry_run=true')
          .send({ prompt: 'A fox', ...fields })
          .expect(200)
      ).body;
    expect((await previewOf({})).request.quality).toBe('xhigh');
    expect((await previewOf({ quality: 'auto' })).request.quality).toBe('auto');
    expect((await previewOf({ model: 'gpt-image-2' })).request.quality).toBeUndefined();
    await chosen.close();
  });
});
