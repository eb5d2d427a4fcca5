import { request as httpRequest } from 'node:http';
import OpenAI, { APIConnectionError, APIUserAbortError } from 'openai';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { apiErrorOf, bytesOf, generate, lastCall, studioAndClient, until } from '../support/studio-calls.ts';

/** Faults that a prompt or a header requests from the studio, as the official client observes them. */

describe('studio faults with a response', () => {
  it.each([
    ['rate-limit=2', 429, 'rate_limit_exceeded', 'none'],
    ['slow-down', 429, 'slow_down', 'none'],
    ['quota', 429, 'credit_balance_exhausted', 'none'],
    ['error=500', 500, null, 'possible'],
    ['overloaded', 503, 'server_is_overloaded', 'none'],
    ['moderation', 400, 'moderation_blocked', 'none'],
    ['bad-request', 400, 'invalid_value', 'none'],
    ['unauthorized', 401, 'invalid_api_key', 'none'],
  ])('translates %s into %i %s for the client', async (word, status, code, charged) => {
    const { studio, client } = await studioAndClient();
    const error = await apiErrorOf(generate(client, `a cat [studio:${word}]`));
    expect({ status: error.status, code: error.code ?? null }).toEqual({ status, code });
    expect(await lastCall(studio)).toMatchObject({ status, charged, fault: word, images: [] });
    expect(studio.chargedImages()).toBe(0);
  });

  it('sends Retry-After with a simulated rate limit', async () => {
    const { client } = await studioAndClient();
    const error = await apiErrorOf(generate(client, '[studio:rate-limit=2]'));
    expect(error.headers?.get('retry-after')).toBe('2');
  });

  it('stops failing after the given number of times, so that a retrying client succeeds', async () => {
    const { studio } = await studioAndClient();
    const client = new OpenAI({ apiKey: 'any', baseURL: studio.baseUrl, maxRetries: 2 });
    await generate(client, 'a cat [studio:rate-limit=0,times=2]');
    expect(studio.calls.map(({ status, headers }) => [status, headers.retryCount])).toEqual([
      [429, '0'],
      [429, '1'],
      [200, '2'],
    ]);
  });

  it('accepts a fault by header', async () => {
    const { studio, client } = await studioAndClient();
    const body = { model: 'gpt-image-2', prompt: 'a cat' };
    const headers = { 'x-studio-fault': 'error=502', 'x-client-request-id': 'mine' };
    expect(await apiErrorOf(client.images.generate(body, { headers }))).toMatchObject({ status: 502 });
    expect((await lastCall(studio)).headers).toMatchObject({ fault: 'error=502', clientRequestId: 'mine' });
  });

  it('sends an empty list, half an image, or no image', async () => {
    const { studio, client } = await studioAndClient();
    expect((await generate(client, '[studio:empty]')).data).toEqual([]);
    // The response states a usage.
    expect(studio.calls.at(-1)?.charged).toBe('charged');

    const cut = bytesOf((await generate(client, '[studio:truncated]')).data?.[0]);
    expect(cut.length * 2).toBeLessThan((studio.calls.at(-1)?.images[0]?.sizeBytes ?? 0) + 4);
    await expect(sharp(cut).raw().toBuffer()).rejects.toThrow();

    const text = bytesOf((await generate(client, '[studio:not-an-image]')).data?.[0]);
    await expect(sharp(text).metadata()).rejects.toThrow();
    expect(studio.calls.at(-1)?.charged).toBe('charged');
  });

  it('sends images of extreme sizes', async () => {
    const { client } = await studioAndClient();
    const huge = bytesOf((await generate(client, '[studio:huge=1x30000]')).data?.[0]);
    expect(await sharp(huge).metadata()).toMatchObject({ width: 1, height: 30_000 });
    const oversized = bytesOf((await generate(client, '[studio:oversized=2]')).data?.[0]);
    expect(oversized.length).toBe(2 * 1024 * 1024);
    expect(await sharp(oversized).metadata()).toMatchObject({ width: 1024 });
  });

  it('sends an HTML page instead of JSON', async () => {
    const { studio } = await studioAndClient();
    const headers = { authorization: 'Bearer k' };
    const body = JSON.stringify({ prompt: '[studio:html]' });
    const response = await fetch(`${studio.baseUrl}/images/generations`, { method: 'POST', headers, body });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html']);
    expect(await response.text()).toContain('<html>');
  });

  it('counts a fault for each API key, so that tests with keys of their own do not meet', async () => {
    const { studio } = await studioAndClient();
    const statusWith = async (apiKey: string) => {
      const client = new OpenAI({ apiKey, baseURL: studio.baseUrl, maxRetries: 0 });
      await generate(client, 'a cat [studio:overloaded,times=1]').catch(() => undefined);
      return (await lastCall(studio)).status;
    };
    expect([await statusWith('one'), await statusWith('one')]).toEqual([503, 200]);
    expect([await statusWith('two'), await statusWith('two')]).toEqual([503, 200]);
    expect(JSON.stringify(studio.calls)).not.toContain('two');
  });

  it.each([
    ['', {}],
    ['', { stream: true, partial_images: 1 }],
    ['[studio:moderation]', {}],
    ['[studio:empty]', {}],
    ['[studio:html]', {}],
    ['[studio:error-event]', { stream: true }],
  ])('spreads every body over the time of slow-body: %s %j', async (word, more) => {
    const { client } = await studioAndClient();
    const startedAt = performance.now();
    const body = { model: 'gpt-image-2', prompt: `a cat [studio:slow-body=300] ${word}`, ...more };
    await client.images
      .generate(body)
      .asResponse()
      .then((response) => response.text())
      .catch(() => undefined);
    expect(performance.now() - startedAt).toBeGreaterThan(290);
  });

  it('sends a slow body completely', async () => {
    const { client } = await studioAndClient();
    const reply = await generate(client, 'a cat [studio:slow-body=60]');
    expect((await sharp(bytesOf(reply.data?.[0])).metadata()).width).toBe(1024);
  });
});

describe('studio faults of the connection', () => {
  it.each(['hang-up', 'hang-up-mid'])(
    'applies %s after charging the images, and breaks the connection',
    async (word) => {
      const { studio, client } = await studioAndClient();
      await expect(generate(client, `a cat [studio:${word}]`)).rejects.toThrow(Error);
      expect(await lastCall(studio)).toMatchObject({
        status: word === 'hang-up' ? null : 200,
        charged: 'charged',
        aborted: false,
      });
      expect(studio.chargedImages()).toBe(1);
      expect((await generate(client, 'another cat')).data).toHaveLength(1);
    },
  );

  it('causes a connection error in the client with hang-up', async () => {
    const { client } = await studioAndClient();
    expect(await apiErrorOf(generate(client, '[studio:hang-up]'))).toBeInstanceOf(APIConnectionError);
  });

  it('breaks a stream after its first event with hang-up-mid', async () => {
    const { client } = await studioAndClient();
    const body = {
      model: 'gpt-image-2',
      prompt: '[studio:hang-up-mid]',
      stream: true,
      partial_images: 2,
    } as const;
    const stream = await client.images.generate(body);
    const seen: string[] = [];
    await expect(
      (async () => {
        for await (const event of stream) seen.push(event.type);
      })(),
    ).rejects.toThrow();
    expect(seen).toEqual(['image_generation.partial_image']);
  });

  it('never responds with hang, and records the disconnect of the client', async () => {
    const { studio, client } = await studioAndClient();
    const leaving = new AbortController();
    const body = { model: 'gpt-image-2', prompt: '[studio:hang]' };
    const reply = apiErrorOf(client.images.generate(body, { signal: leaving.signal }));
    await until(() => studio.chargedImages() === 1);
    leaving.abort();
    expect(await reply).toBeInstanceOf(APIUserAbortError);
    expect(await lastCall(studio)).toMatchObject({ aborted: true, status: null, charged: 'charged' });
  });

  it('charges a client that disconnects during the latency, and leaves no timer', async () => {
    const { studio, client } = await studioAndClient({ latencyMs: 600_000 });
    const leaving = new AbortController();
    const body = { model: 'gpt-image-2', prompt: 'a cat' };
    const reply = apiErrorOf(client.images.generate(body, { signal: leaving.signal }));
    await until(() => studio.chargedImages() === 1);
    leaving.abort();
    await reply;
    // The call can only be final if its ten-minute wait has ended.
    expect(await lastCall(studio)).toMatchObject({ aborted: true, charged: 'charged' });
  });

  it('charges nothing if the client disconnects while it sends the request', async () => {
    const { studio } = await studioAndClient();
    const request = httpRequest(`${studio.baseUrl}/images/generations`, {
      method: 'POST',
      headers: { authorization: 'Bearer k', 'content-length': 1000 },
    });
    request.on('error', () => {});
    request.write('{"prompt":');
    await until(() => studio.calls.length === 1);
    request.destroy();
    expect(await lastCall(studio)).toMatchObject({ aborted: true, status: null, charged: 'none' });
  });
});
