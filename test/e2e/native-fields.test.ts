import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { safetyIdentifier } from '../support/safety-identifier.ts';
import { type ScriptedServer, startScriptedServer } from '../support/scripted-server.ts';
import { startService, type TestService } from '../support/service.ts';

/** Tests that a provider which records its requests receives every field of a caller as the caller sent it. */

let provider: ScriptedServer;
let service: TestService;
beforeAll(async () => {
  const still = { create: { width: 64, height: 64, channels: 3, background: '#336699' } } as const;
  const images: Record<string, Buffer> = {
    gif: await sharp(still).gif().toBuffer(),
    svg: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"></svg>'),
    webp: await sharp(still).webp().toBuffer(),
  };
  provider = await startScriptedServer((response, { body }) => {
    const bytes = images[JSON.parse(body).output_format] ?? Buffer.alloc(0);
    const reply = {
      data: [{ b64_json: bytes.toString('base64') }],
      usage: { input_tokens: 9, output_tokens: 196, total_tokens: 205 },
      svg_usage: { model: 'gpt-5.4', input_tokens: 100, output_tokens: 200, total_tokens: 300 },
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
  });
  service = await startService({ OPENAI_BASE_URL: provider.url });
  return async () => {
    await service.close();
    await provider.close();
  };
});

const common = { model: 'gpt-image-2.6-flare', quality: 'xhigh', complexity: 'low', moderation: 'low' };
const requests = [
  { output_format: 'gif', frame_count: 4, frame_duration_ms: 120, size: '1536x1024' },
  { output_format: 'svg', svg: { model: 'gpt-5.4', reasoning: { effort: 'minimal' } }, size: 'auto' },
  {
    output_format: 'webp',
    output_compression: 0,
    background: 'transparent',
    safety_identifier: 'hash-of-user',
    size: '1024x1024',
  },
].map((fields) => ({ ...common, ...fields }));

const safely = { safety_identifier: expect.stringMatching(safetyIdentifier) };
const bodyOf = (prompt: string) => {
  const bodies = provider.seen.map(({ body }) => JSON.parse(body));
  return bodies.find((body) => body.prompt === prompt);
};

describe.each(requests)('a request with output_format $output_format', (fields) => {
  it('reaches the provider with every field as the caller of POST /images sent it', async () => {
    const prompt = `A native ${fields.output_format}`;
    const job = await service.acme.generate({ prompt, ...fields });
    expect(job).toMatchObject({ status: 'succeeded', request: fields });
    expect(bodyOf(prompt)).toEqual({ prompt, n: 1, ...fields, ...safely });
  });

  it('reaches the provider with every field as the caller of /v1 sent it, and shows its format', async () => {
    const prompt = `An OpenAI ${fields.output_format}`;
    const { body } = await service.acme
      .post('/v1/images/generations')
      .send({ prompt, ...fields })
      .expect(200);
    expect(bodyOf(prompt)).toEqual({ prompt, n: 1, ...fields, ...safely });
    expect(body).toMatchObject({ output_format: fields.output_format });
    expect(body).not.toHaveProperty('warnings');
  });
});

describe('an image in a vector or animated format', () => {
  it.each([
    ['gif', 'image/gif', { frame_count: 2 }],
    ['svg', 'image/svg+xml', { svg: { model: 'gpt-5.4' } }],
  ])('is stored and served as %s', async (output_format, contentType, fields) => {
    const job = await service.acme.generate({ prompt: 'A moving fox', ...common, output_format, ...fields });
    expect(job.images[0]).toMatchObject({ content_type: contentType, width: 64, height: 64 });
    const response = await service.acme.get(`/images/${job.id}/content/0`).expect(200);
    expect(response.headers).toMatchObject({
      'content-type': contentType,
      'content-security-policy': expect.stringContaining('sandbox'),
    });
  });

  it('costs what the image model and the text model report', async () => {
    const svg = { model: 'gpt-5.4' };
    const job = await service.acme.generate({ prompt: 'A drawn fox', ...common, output_format: 'svg', svg });
    expect(job.cost.micro_usd).toBe(9 * 5 + 196 * 30 + (100 * 2.5 + 200 * 15));
  });

  it('is refused before anything is paid if a field does not fit the format', async () => {
    const { body } = await service.acme
      .post('/images')
      .send({ prompt: 'A still fox', ...common, output_format: 'webp', frame_count: 4 })
      .expect(422);
    expect(body.errors).toEqual([{ pointer: '/frame_count', detail: 'is for output_format gif only' }]);
  });
});
