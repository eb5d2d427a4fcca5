import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import OpenAI from 'openai';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Studio } from '../../src/local/studio/studio.ts';
import { type backgroundProvider, backgroundStudio } from '../support/background-calls.ts';
import { eventually } from '../support/eventually.ts';
import { collector, contextOf, drain, failureOf, imageCall } from '../support/provider-calls.ts';
import { compiledProgram, endOf } from '../support/service-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Tests images that the provider generates in the background, end to end with the studio. */

const submissions = ({ calls }: Studio) =>
  calls.filter(({ method, path }) => method === 'POST' && path === '/v1/responses');
const questions = ({ calls }: Studio) => calls.filter(({ method }) => method === 'GET');
const cancels = ({ calls }: Studio) => calls.filter(({ path }) => path.endsWith('/cancel'));

/** Starts a call and resolves with its handle as soon as the handle is known. */
function begin(
  provider: ReturnType<typeof backgroundProvider>,
  prompt: string,
  signal = new AbortController().signal,
) {
  const { sink, bytes, decoded } = collector();
  let ended: Promise<unknown> = Promise.resolve();
  const handle = new Promise<string>((resolve) => {
    const context = contextOf({ signal, onHandle: async (given) => resolve(given) });
    ended = provider.generate(imageCall(prompt), context, sink);
    ended.catch(() => undefined);
  });
  return { handle, ended: () => ended, bytes, decoded };
}

async function readResponse(studio: Studio, handle: string) {
  const client = new OpenAI({ apiKey: 'any', baseURL: studio.baseUrl, maxRetries: 0 });
  return client.responses.retrieve(handle);
}

describe('an image generated in the background', () => {
  it('returns the image that the studio drew, with its usage, and charges it once', async () => {
    const { studio, provider } = await backgroundStudio({ latencyMs: 60 });
    const { sink, decoded } = collector();
    await provider.generate(imageCall('一只猫 [studio:slow-body=30]'), contextOf(), sink);
    const response = await decoded(provider);
    expect(response).toMatchObject({
      image: { contentType: 'image/png', width: 1024, height: 1024 },
      usage: { output_tokens: 196 },
      revisedPrompt: '一只猫',
      hostModel: { model: 'gpt-5.4-mini', usage: { total_tokens: expect.any(Number) } },
    });
    expect(submissions(studio)).toMatchObject([
      { charged: 'charged', status: 200, images: [{ sizeBytes: response.image.bytes.length }] },
    ]);
    expect(studio.chargedImages()).toBe(1);
  });

  it('returns to each of 20 concurrent calls its own image', async () => {
    const { studio, provider } = await backgroundStudio({ latencyMs: 100 });
    const sizes = Array.from({ length: 20 }, (_, i) => `${1024 + 16 * i}x1024`);
    const made = await Promise.all(
      sizes.map(async (size) => {
        const { sink, decoded } = collector();
        await provider.generate({ ...imageCall('a cat'), parameters: { size } }, contextOf(), sink);
        const { image } = await decoded(provider);
        return `${image.width}x${image.height}`;
      }),
    );
    expect(made).toEqual(sizes);
    expect(submissions(studio)).toHaveLength(20);
    expect(studio.chargedImages()).toBe(20);
  });

  it('returns the image although polls for it fail repeatedly', async () => {
    const { studio, provider } = await backgroundStudio();
    const words = [
      'error=500,times=2',
      'hang-up,times=2',
      'hang-up-mid,times=2',
      'rate-limit=0,times=2',
      'html,times=2',
    ];
    const prompt = `a cat ${words.map((word) => `[studio:poll-${word}]`).join('')}`;
    const { sink, decoded } = collector();
    await provider.generate(imageCall(prompt), contextOf(), sink);
    expect((await decoded(provider)).image.width).toBe(1024);
    expect(questions(studio).length).toBeGreaterThan(10);
    expect(studio.chargedImages()).toBe(1);
  });

  it('returns the complete image although the first response with it breaks off', async () => {
    const { studio, provider } = await backgroundStudio();
    const { sink, decoded } = collector();
    await provider.generate(imageCall('a cat [studio:hang-up-mid]'), contextOf(), sink);
    expect((await decoded(provider)).image.width).toBe(1024);
    expect(questions(studio).length).toBeGreaterThan(1);
    expect(studio.chargedImages()).toBe(1);
  });

  it.each([
    ['moderation=violence', 'final', 'moderation_blocked', 'none'],
    ['quota', 'stopped', 'provider_quota_exhausted', 'none'],
    ['rate-limit', 'refused', 'provider_rate_limited', 'none'],
    ['overloaded', 'refused', 'provider_overloaded', 'none'],
    ['bad-request', 'final', 'provider_rejected', 'none'],
    ['unauthorized', 'stopped', 'provider_unauthorized', 'none'],
    ['error=500', 'uncertain', 'provider_outcome_unknown', 'possible'],
    ['html', 'unusable', 'provider_unusable_answer', 'possible'],
    ['hang-up', 'uncertain', 'provider_outcome_unknown', 'charged'],
  ])(
    'fails a background call after [studio:%s] as %s %s, and the studio charges: %s',
    async (word, kind, code, charged) => {
      const { studio, provider } = await backgroundStudio();
      const run = provider.generate(imageCall(`a cat [studio:${word}]`), contextOf(), drain);
      expect(await failureOf(run)).toMatchObject({ kind, code });
      await eventually(() =>
        expect(submissions(studio)).toMatchObject([{ charged, endedAt: expect.any(String) }]),
      );
      expect(studio.chargedImages()).toBe(charged === 'charged' ? 1 : 0);
    },
  );

  it.each([
    ['empty', 'unusable'],
    ['truncated', 'damaged'],
    ['not-an-image', 'unusable'],
    ['huge', 'unusable'],
  ])('returns no image after [studio:%s] because the response is %s', async (word, kind) => {
    const { provider } = await backgroundStudio();
    const { sink, decoded } = collector();
    await provider.generate(imageCall(`a cat [studio:${word}]`), contextOf(), sink);
    expect(await failureOf(decoded(provider))).toMatchObject({ kind, billing: 'charged' });
  });
});

describe('a background call that lost its worker', () => {
  it('resumes a background call in another process after SIGKILL, without another submission', async () => {
    const { studio, provider } = await backgroundStudio();
    const handleFile = join(await temporaryFolder(), 'handle');
    const program = compiledProgram('background-job-process');
    const args = [program, studio.baseUrl, 'a cat [studio:latency=4000]', handleFile];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const end = endOf(child);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    expect(await end).toEqual({ code: null, signal: 'SIGKILL' });
    const handle = await readFile(handleFile, 'utf8');

    const { sink, decoded } = collector();
    await provider.resume(handle, contextOf(), sink);
    expect((await decoded(provider)).image).toMatchObject({ width: 1024, height: 1024 });
    expect(submissions(studio)).toHaveLength(1);
    expect(studio.chargedImages()).toBe(1);
  });

  it('returns the same response every time a background call is resumed', async () => {
    const { studio, provider } = await backgroundStudio();
    const first = begin(provider, 'a cat');
    await first.ended();
    for (let i = 0; i < 3; i += 1) {
      const { sink, bytes } = collector();
      await provider.resume(await first.handle, contextOf(), sink);
      expect(bytes().equals(first.bytes())).toBe(true);
    }
    expect(studio.chargedImages()).toBe(1);
  });

  it('leaves a background call running at the provider when its worker drains, and resumes it later', async () => {
    const { studio, provider } = await backgroundStudio({ latencyMs: 300 });
    const worker = new AbortController();
    const { handle, ended } = begin(provider, 'a cat', worker.signal);
    await handle;
    worker.abort('draining');
    expect(await failureOf(ended())).toMatchObject({ kind: 'uncertain' });
    expect((await readResponse(studio, await handle)).status).not.toBe('canceled');

    const { sink, decoded } = collector();
    await provider.resume(await handle, contextOf(), sink);
    expect((await decoded(provider)).image.width).toBe(1024);
    expect(cancels(studio)).toEqual([]);
    expect(studio.chargedImages()).toBe(1);
  });

  it('stops a canceled background call at the provider, and returns no image when it is resumed', async () => {
    const { studio, provider } = await backgroundStudio();
    const caller = new AbortController();
    const { handle, ended } = begin(provider, 'a cat [studio:hang]', caller.signal);
    await handle;
    caller.abort('canceled');
    expect(await failureOf(ended())).toMatchObject({ kind: 'uncertain', billing: 'possible' });
    expect((await readResponse(studio, await handle)).status).toBe('cancelled');
    const failure = await failureOf(provider.resume(await handle, contextOf(), drain));
    expect(failure).toMatchObject({ kind: 'unusable', billing: 'possible' });
  });

  it('marks a background call as uncertain if its id is unknown or expired at the provider', async () => {
    const { provider } = await backgroundStudio();
    const failure = await failureOf(provider.resume('resp_of_yesterday', contextOf(), drain));
    expect(failure).toMatchObject({
      kind: 'uncertain',
      code: 'provider_outcome_unknown',
      billing: 'possible',
    });
  });
});
