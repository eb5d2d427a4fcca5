import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import OpenAI, { APIConnectionError } from 'openai';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { startStudio } from '../../src/local/studio/studio.ts';
import { apiErrorOf, bytesOf, generate, lastCall, studioAndClient, until } from '../support/studio-calls.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('images of the studio', () => {
  it('draws images in the requested size and format, with usage by the published formula', async () => {
    const { studio, client } = await studioAndClient({ image: 'drawn' });
    const { data: reply, response } = await client.images
      .generate({
        model: 'gpt-image-2',
        prompt: '生成一幅美女的照片',
        size: '1536x1024',
        quality: 'low',
        output_format: 'webp',
        output_compression: 80,
      })
      .withResponse();
    const metadata = await sharp(bytesOf(reply.data?.[0])).metadata();
    expect(metadata).toMatchObject({ width: 1536, height: 1024, format: 'webp' });
    expect(reply).toMatchObject({
      size: '1536x1024',
      quality: 'low',
      output_format: 'webp',
      background: 'opaque',
    });
    expect(reply.usage).toMatchObject({ input_tokens: 9, output_tokens: 158, total_tokens: 167 });
    expect(response.headers.get('x-request-id')).toMatch(/^req_/);
    expect(response.headers.get('openai-processing-ms')).toMatch(/^\d+$/);
    expect(response.headers.get('x-ratelimit-remaining-requests')).not.toBeNull();
    expect(await lastCall(studio)).toMatchObject({
      prompt: '生成一幅美女的照片',
      status: 200,
      charged: 'charged',
    });
  });

  it('draws different images within one response and records their hashes', async () => {
    const { studio, client } = await studioAndClient();
    const reply = await generate(client, 'three cats', { n: 3 });
    const hashes = (reply.data ?? []).map((image) =>
      createHash('sha256').update(bytesOf(image)).digest('hex'),
    );
    expect(new Set(hashes).size).toBe(3);
    expect((await lastCall(studio)).images.map(({ sha256 }) => sha256)).toEqual(hashes);
    expect(studio.chargedImages()).toBe(3);
  });

  it('draws the same image with and without fault words in the prompt', async () => {
    const { client } = await studioAndClient();
    const plain = await generate(client, 'a cat');
    const marked = await generate(client, '[studio:latency=1] a cat [studio:no-such-word]');
    expect(marked.data).toEqual(plain.data);
  });

  it('streams events with increasingly sharp previews', async () => {
    const { studio, client } = await studioAndClient();
    const stream = await client.images.generate({
      model: 'gpt-image-2',
      prompt: 'a cat',
      quality: 'low',
      stream: true,
      partial_images: 2,
    });
    const events = [];
    for await (const event of stream) events.push(event);
    expect(events.map(({ type }) => type)).toEqual([
      'image_generation.partial_image',
      'image_generation.partial_image',
      'image_generation.completed',
    ]);
    for (const event of events) {
      expect(await sharp(bytesOf(event)).metadata()).toMatchObject({ width: 1024, height: 1024 });
    }
    expect(events[1]).toMatchObject({ partial_image_index: 1, size: '1024x1024' });
    expect(events[2]).toMatchObject({ usage: { output_tokens: 196 + 200 } });
    expect((await lastCall(studio)).images).toHaveLength(1);
  });

  it('generates fast images of about the requested size in bytes', async () => {
    const { client } = await studioAndClient({ imageBytes: 300_000 });
    const { length } = bytesOf((await generate(client, 'a cat')).data?.[0]);
    expect(length).toBeGreaterThan(300_000);
    expect(length).toBeLessThan(330_000);
  });

  it('serves a hundred calls at once and counts each once', async () => {
    const { studio, client } = await studioAndClient();
    const prompts = Array.from({ length: 100 }, (_, index) => `cat number ${index}`);
    const responses = await Promise.all(prompts.map((prompt) => generate(client, prompt)));
    expect(new Set(responses.map(({ data }) => data?.[0]?.b64_json)).size).toBe(100);
    expect(studio.chargedImages()).toBe(100);
    expect(new Set(studio.calls.map(({ prompt }) => prompt))).toEqual(new Set(prompts));
  });
});

describe('rejections of the studio', () => {
  it('names the parameter in an error as OpenAI does, and charges nothing', async () => {
    const { studio, client } = await studioAndClient();
    const error = await apiErrorOf(generate(client, 'a cat', { response_format: 'url' }));
    expect(error).toMatchObject({
      status: 400,
      code: 'unknown_parameter',
      param: 'response_format',
      type: 'invalid_request_error',
    });
    expect(error.requestID).toBe((await lastCall(studio)).requestId);
    expect(studio.calls.at(-1)).toMatchObject({ status: 400, charged: 'none' });
  });

  it('responds with 401 without a key, 404 and 405 elsewhere, 400 and 413 for invalid bodies', async () => {
    const { studio } = await studioAndClient();
    const post = async (
      path: string,
      body: string,
      headers: Record<string, string> = { authorization: 'Bearer k' },
    ) => (await fetch(`${studio.baseUrl}${path}`, { method: 'POST', headers, body })).status;
    expect(await post('/images/generations', '{"prompt":"a"}', {})).toBe(401);
    expect(await post('/images/generations', '{"prompt":"a"}', { authorization: 'Bearer ' })).toBe(401);
    expect(await post('/images/variations', '{}')).toBe(404);
    expect(await post('/models', '{}')).toBe(405);
    expect(await post('/images/generations', '{"prompt":')).toBe(400);
    expect(await post('/images/generations', '[]')).toBe(400);
    expect(await post('/images/generations', JSON.stringify({ prompt: 'a'.repeat(1024 * 1024) }))).toBe(413);
    expect(studio.calls).toHaveLength(7);
  });
});

describe('models of the studio', () => {
  it('lists the models', async () => {
    const { client } = await studioAndClient();
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    expect(ids).toContain('gpt-image-2');
    expect((await client.models.retrieve('gpt-image-2')).id).toBe('gpt-image-2');
    expect(await apiErrorOf(client.models.retrieve('nothing'))).toMatchObject({ status: 404 });
  });
});

describe('the call log of the studio', () => {
  it('appends one ledger line per paid call before it sends the response', async () => {
    const ledgerFile = join(await temporaryFolder(), 'ledger.jsonl');
    const { client } = await studioAndClient({ ledgerFile });
    const lines = async () => (await readFile(ledgerFile, 'utf8')).trimEnd().split('\n');
    const reply = await generate(client, 'a cat', { n: 2 });
    const line = JSON.parse((await lines())[0] ?? '');
    const hashes = (reply.data ?? []).map((image) =>
      createHash('sha256').update(bytesOf(image)).digest('hex'),
    );
    expect(line.images.map(({ sha256 }: { sha256: string }) => sha256)).toEqual(hashes);
    expect(line).toMatchObject({
      prompt: 'a cat',
      parameters: { n: 2 },
      requestId: expect.stringMatching(/^req_/),
    });
    await apiErrorOf(generate(client, '[studio:quota]'));
    await apiErrorOf(generate(client, '[studio:hang-up]'));
    expect(await lines()).toHaveLength(2);
  });

  it('reports every call at its arrival and at its end', async () => {
    const captured: string[] = [];
    const { client, studio } = await studioAndClient({
      onArrival: ({ id, status }) => captured.push(`arrived ${id} ${status}`),
      onCall: ({ id, status }) => captured.push(`over ${id} ${status}`),
    });
    await generate(client, 'a cat');
    await lastCall(studio);
    expect(captured).toEqual(['arrived 1 null', 'over 1 200']);
  });

  it('stores no part of the API key', async () => {
    const { studio } = await studioAndClient();
    const client = new OpenAI({ apiKey: 'sk-very-secret', baseURL: studio.baseUrl, maxRetries: 0 });
    await generate(client, 'a cat');
    expect(JSON.stringify(studio.calls)).not.toContain('sk-very-secret');
  });
});

describe('stopping the studio', () => {
  it('ends hanging calls, and accepts a second stop', async () => {
    const { studio, client } = await studioAndClient();
    const hanging = apiErrorOf(generate(client, '[studio:hang]'));
    await until(() => studio.chargedImages() === 1);
    await Promise.all([studio.stop(), studio.stop()]);
    expect(await hanging).toBeInstanceOf(APIConnectionError);
    expect(studio.calls.at(-1)).toMatchObject({ aborted: true, endedAt: expect.any(String) });
    expect(await apiErrorOf(generate(client, 'a cat'))).toBeInstanceOf(APIConnectionError);
  });

  it('leaves another studio in the same process running', async () => {
    const [one, two] = [await studioAndClient(), await studioAndClient()];
    await one.studio.stop();
    await generate(two.client, 'a cat');
    expect([one.studio.calls.length, two.studio.calls.length]).toEqual([0, 1]);
  });

  it('rejects at the start if the port is in use', async () => {
    const { studio } = await studioAndClient();
    const port = Number(new URL(studio.baseUrl).port);
    await expect(startStudio({ port })).rejects.toThrow(/EADDRINUSE/);
  });
});
