import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import OpenAI from 'openai';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Studio } from '../../src/local/studio/studio.ts';
import { type backgroundProvider, backgroundStudio } from '../support/background-calls.ts';
import { collector, contextOf, drain, failureOf, imageCall } from '../support/provider-calls.ts';
import { endOf } from '../support/service-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Images in the background, from the provider to the studio and back. */

const submissions = ({ calls }: Studio) =>
  calls.filter(({ method, path }) => method === 'POST' && path === '/v1/responses');
const questions = ({ calls }: Studio) => calls.filter(({ method }) => method === 'GET');
const cancels = ({ calls }: Studio) => calls.filter(({ path }) => path.endsWith('/cancel'));

/** Starts a call and resolves with its handle as soon as it is known. */
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

async function ask(studio: Studio, handle: string) {
  const client = new OpenAI({ apiKey: 'any', baseURL: studio.baseUrl, maxRetries: 0 });
  return client.responses.retrieve(handle);
}

describe('an image made in the background', () => {
  it('is the one that the studio made, with its usage, and is charged once', async () => {
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

  it('is one of twenty at once, each with its own', async () => {
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

  it('arrives although questions after it fail again and again', async () => {
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

  it('arrives whole although the first answer that holds it breaks off', async () => {
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
  ])('fails after [studio:%s] as %s %s; the studio charged: %s', async (word, kind, code, charged) => {
    const { studio, provider } = await backgroundStudio();
    const run = provider.generate(imageCall(`a cat [studio:${word}]`), contextOf(), drain);
    expect(await failureOf(run)).toMatchObject({ kind, code });
    await vi.waitFor(() =>
      expect(submissions(studio)).toMatchObject([{ charged, endedAt: expect.any(String) }]),
    );
    expect(studio.chargedImages()).toBe(charged === 'charged' ? 1 : 0);
  });

  it.each([
    ['empty', 'unusable'],
    ['truncated', 'damaged'],
    ['not-an-image', 'damaged'],
    ['huge', 'unusable'],
  ])('turns out without an image after [studio:%s], which is %s', async (word, kind) => {
    const { provider } = await backgroundStudio();
    const { sink, decoded } = collector();
    await provider.generate(imageCall(`a cat [studio:${word}]`), contextOf(), sink);
    expect(await failureOf(decoded(provider))).toMatchObject({ kind, billing: 'charged' });
  });
});

describe('a call whose caller is gone', () => {
  it('is taken up by another process after SIGKILL, without another order', async () => {
    const { studio, provider } = await backgroundStudio();
    const handleFile = join(await temporaryFolder(), 'handle');
    const program = join(import.meta.dirname, '../support/background-job-process.ts');
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', program, studio.baseUrl, 'a cat [studio:latency=4000]', handleFile],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
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

  it('is taken up as often as it takes, and always brings the same answer', async () => {
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

  it('goes on at the provider when it was told to drain, and can be taken up', async () => {
    const { studio, provider } = await backgroundStudio({ latencyMs: 300 });
    const worker = new AbortController();
    const { handle, ended } = begin(provider, 'a cat', worker.signal);
    await handle;
    worker.abort('draining');
    expect(await failureOf(ended())).toMatchObject({ kind: 'uncertain' });
    expect((await ask(studio, await handle)).status).not.toBe('canceled');

    const { sink, decoded } = collector();
    await provider.resume(await handle, contextOf(), sink);
    expect((await decoded(provider)).image.width).toBe(1024);
    expect(cancels(studio)).toEqual([]);
    expect(studio.chargedImages()).toBe(1);
  });

  it('is stopped at the provider when it was canceled, and brings nothing any more', async () => {
    const { studio, provider } = await backgroundStudio();
    const caller = new AbortController();
    const { handle, ended } = begin(provider, 'a cat [studio:hang]', caller.signal);
    await handle;
    caller.abort('canceled');
    expect(await failureOf(ended())).toMatchObject({ kind: 'uncertain', billing: 'possible' });
    expect((await ask(studio, await handle)).status).toBe('cancelled');
    const failure = await failureOf(provider.resume(await handle, contextOf(), drain));
    expect(failure).toMatchObject({ kind: 'unusable', billing: 'possible' });
  });

  it('is uncertain when its id is unknown or forgotten', async () => {
    const { provider } = await backgroundStudio();
    const failure = await failureOf(provider.resume('resp_of_yesterday', contextOf(), drain));
    expect(failure).toMatchObject({
      kind: 'uncertain',
      code: 'provider_outcome_unknown',
      billing: 'possible',
    });
  });
});
