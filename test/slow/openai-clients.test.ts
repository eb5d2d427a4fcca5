import type OpenAI from 'openai';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  download,
  failureOf,
  type ImageClient,
  loadClients,
  officialClient,
} from '../support/openai-clients.ts';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls, testKeys } from '../support/service-environment.ts';

/** Drives unmodified clients against the running service. */

const clients = await loadClients();
const all = clients?.all ?? [];
const officialSdks = clients
  ? ([
      ['openai 6', await clients.packages.OpenAI6()],
      ['openai 7', await clients.packages.OpenAI7()],
    ] as const)
  : [];
const modelMap = 'dall-e-3=gpt-image-2.6-flare,fox-painter=default';

let service: TestService;
beforeAll(async () => {
  service = await startService({ V1_MODEL_MAP: modelMap });
  return service.close;
});

const apiKey = testKeys.acme;
const options = () => ({ baseUrl: `${service.url}/v1`, apiKey });
const isPng = (bytes: Buffer) => bytes.subarray(1, 4).toString() === 'PNG';

describe.each(all)('$name', (client: ImageClient) => {
  const generate = (prompt: string, more: { n?: number; model?: string } = {}) =>
    client.generate(options(), { prompt: `${prompt} for ${client.name}`, model: 'gpt-image-2', ...more });

  it('generates an image', async () => {
    const images = await generate('A fox');
    expect(images.map(isPng)).toEqual([true]);
  });

  it('generates three images with one payment each', async () => {
    const images = await generate('Three foxes', { n: 3 });
    expect(images.map(isPng)).toEqual([true, true, true]);
    expect(imageCalls(service.studio, `Three foxes for ${client.name}`)).toHaveLength(3);
  });

  it.each(['gpt-image-2-2026-04-21', 'dall-e-3', 'fox-painter'])(
    'generates an image with the alias or mapped name %s',
    async (model) => {
      const images = await generate(`A fox of ${model}`, { model });
      expect(images.map(isPng)).toEqual([true]);
    },
  );

  it('generates several images with a mapped name, although it may send one equal request per image', async () => {
    const images = await generate('Mapped foxes', { n: 2, model: 'fox-painter' });
    expect(images.map(isPng)).toEqual([true, true]);
    expect(imageCalls(service.studio, `Mapped foxes for ${client.name}`)).toHaveLength(2);
  });

  it('reports refused content as a final 400, after one call of the provider', async () => {
    const failure = await failureOf(generate('Refused [studio:moderation=violence]'));
    expect(failure).toMatchObject({
      status: 400,
      message: expect.stringMatching(/refused|safety|moderation/i),
    });
    expect(imageCalls(service.studio, `violence] for ${client.name}`)).toHaveLength(1);
  });

  it('reports an unknown model as 404', async () => {
    expect(await failureOf(generate('A fox', { model: 'no-such-model' }))).toMatchObject({ status: 404 });
  });

  it('reports an invalid key as 401', async () => {
    const call = client.generate(
      { ...options(), apiKey: 'wrong' },
      { prompt: 'A fox', model: 'gpt-image-2' },
    );
    expect(await failureOf(call)).toMatchObject({ status: 401 });
  });
});

describe.each(officialSdks)('%s', (name, Client: typeof OpenAI) => {
  const client = () => officialClient(Client, options());

  it('gets links if it asks for links', async () => {
    const { data } = await client().images.generate({
      prompt: `Linked for ${name}`,
      n: 2,
      response_format: 'url',
    });
    for (const { url } of data ?? []) {
      expect(isPng(await download(url ?? ''))).toBe(true);
    }
    expect(data).toHaveLength(2);
  });

  it('may send null for every field of its request', async () => {
    const fields = [
      'n',
      'size',
      'quality',
      'background',
      'moderation',
      'output_format',
      'output_compression',
    ];
    const more = [
      'partial_images',
      'response_format',
      'stream',
      'style',
      'user',
      'complexity',
      'frame_count',
    ];
    const last = ['frame_duration_ms', 'safety_identifier', 'model'];
    const nulls = Object.fromEntries([...fields, ...more, ...last].map((field) => [field, null]));
    const body = { ...nulls, svg: { model: null, reasoning: null }, prompt: `Nulls of ${name}` } as never;
    const response = (await client().images.generate(body)) as OpenAI.ImagesResponse;
    expect(response.data).toHaveLength(1);
  });

  it('reads a stream to its completed event', async () => {
    const stream = await client().images.generate({ prompt: `Streamed for ${name}`, n: 2, stream: true });
    const types: string[] = [];
    for await (const event of stream) {
      types.push(event.type);
      expect(isPng(Buffer.from(event.b64_json, 'base64'))).toBe(true);
    }
    expect(types).toEqual(['image_generation.completed', 'image_generation.completed']);
  });

  it('throws the failure of a stream with its code', async () => {
    const prompt = `Refused stream of ${name} [studio:moderation=violence]`;
    const stream = await client().images.generate({ prompt, stream: true });
    const read = async () => {
      for await (const _ of stream);
    };
    await expect(read()).rejects.toMatchObject({ code: 'moderation_blocked' });
  });

  it('lists models and reads one by its mapped name', async () => {
    const ids: string[] = [];
    for await (const { id } of client().models.list()) ids.push(id);
    expect(ids).toContain('gpt-image-2');
    expect(await client().models.retrieve('fox-painter')).toMatchObject({ id: 'fox-painter' });
    await expect(client().models.retrieve('dall-e-2')).rejects.toMatchObject({ code: 'model_not_found' });
  });

  it('shows the request id and the headers of the service', async () => {
    const { data, response } = await client()
      .images.generate({ prompt: `Named for ${name}` })
      .withResponse();
    expect((data as { _request_id?: string })._request_id).toBe(response.headers.get('x-request-id'));
    expect(response.headers.get('x-darkroom-job-id')).toMatch(/^img_/);
  });
});
