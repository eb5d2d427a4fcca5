import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { errorCodes, errorRow } from '../../src/domain/errors.ts';
import { statusOfFailure } from '../../src/inbound/http/openai-v1/problem.ts';
import { readApiDocument } from '../support/openapi-document.ts';
import { type RawResponse, sendRaw } from '../support/raw-http.ts';
import { faultsOf } from '../support/response-check.ts';
import { startScriptedServer } from '../support/scripted-server.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

/** Responses that need a provider, compared with openapi.yaml: status, headers, content type, body and error code. */

const api = readApiDocument();
let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

/** Sends a request. Resolves with the response, without the faults that the document explains. */
async function checked(
  line: string,
  {
    url = service.url,
    body,
    headers = {},
  }: { url?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<RawResponse & { faults: string[] }> {
  const text = body === undefined ? '' : JSON.stringify(body);
  const all = {
    host: 'images.example.com',
    authorization: `Bearer ${testKeys.acme}`,
    ...(body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': `${Buffer.byteLength(text)}` }),
    ...headers,
  };
  const head = [
    `${line} HTTP/1.1`,
    ...Object.entries(all).map(([name, value]) => `${name}: ${value}`),
    '',
    '',
  ];
  const bytes = Buffer.from(head.join('\r\n') + text);
  const reply = await sendRaw(Number(new URL(url).port), bytes, { timeoutMs: 30_000 });
  if (typeof reply === 'string') throw new Error(reply);
  const [method = '', path = ''] = line.split(/[ ?]/);
  return { ...reply, faults: faultsOf(api, { method, path, isBrokenHttp: false }, reply) };
}

const v1 = (prompt: string, headers: Record<string, string> = {}) =>
  checked('POST /v1/images/generations', { body: { prompt, model: 'gpt-image-2.6-flare' }, headers });

describe('openapi.yaml documents', () => {
  it.each([
    ['a refusal of the provider', 'A fox [studio:moderation]', 400],
    ['bytes that are no image', 'A fox [studio:not-an-image]', 424],
    ['images', 'A fox', 200],
  ])('%s at /v1', async (_, prompt, status) => {
    const reply = await v1(prompt);
    expect([reply.status, reply.faults]).toEqual([status, []]);
  });

  it('a job that a client of /v1 does not wait for', async () => {
    const reply = await v1('A fox', { prefer: 'respond-async', 'idempotency-key': 'a-key' });
    expect([reply.status, reply.faults]).toEqual([202, []]);
    const operation = api.operations.find(({ id }) => id === 'createOpenAiImage');
    expect(operation?.parameters.map(({ name }) => name)).toEqual(['idempotency-key', 'prefer']);
  });

  it('the limits of a key and the scheme of authentication at /v1', async () => {
    const { body } = await service.acme
      .post('/keys')
      .set('authorization', `Bearer ${testKeys.admin}`)
      .send({ tenant: 'acme', limits: { requests_per_minute: 1 } })
      .expect(201);
    const authorization = `Bearer ${body.key}`;
    for (const [headers, status] of [
      [{ authorization }, 200],
      [{ authorization }, 429],
      [{ authorization: 'Bearer none' }, 401],
    ] as const) {
      const reply = await checked('GET /v1/models', { headers });
      expect([reply.status, reply.faults]).toEqual([status, []]);
    }
  });

  it('an enhancement that fails, and its repetition', async () => {
    for (let i = 0; i < 2; i++) {
      const reply = await checked('POST /prompts/enhance', {
        body: { prompt: 'A fox [studio:enhance-moderation]' },
        headers: { 'idempotency-key': 'an-enhancement' },
      });
      expect(reply.headers).toHaveProperty('x-darkroom-job-id');
      expect([reply.status, reply.faults]).toEqual([422, []]);
    }
  });

  it('every code with which a job of /v1 can end', () => {
    const ends = errorCodes.filter((code) => errorRow(code).billing);
    for (const operation of api.operations.filter(({ id }) => /^createOpenAiImage/.test(id))) {
      const isEdit = operation.id.endsWith('Edit');
      const missing = ends
        .filter((code) => isEdit || !code.startsWith('input_'))
        .filter((code) => {
          const content = operation.responses[statusOfFailure(code)]?.content as Record<
            string,
            { examples: object }
          >;
          return !Object.hasOwn(content?.['application/problem+json']?.examples ?? {}, code);
        });
      expect([operation.id, missing]).toEqual([operation.id, []]);
    }
  });

  it('the bytes of a gif and of an svg', async () => {
    const still = { create: { width: 64, height: 64, channels: 3, background: '#336699' } } as const;
    const images: Record<string, Buffer> = {
      gif: await sharp(still).gif().toBuffer(),
      svg: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"></svg>'),
    };
    const provider = await startScriptedServer((response, { body }) => {
      const bytes = images[JSON.parse(body).output_format] ?? Buffer.alloc(0);
      const reply = { data: [{ b64_json: bytes.toString('base64') }] };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
    });
    onTestFinished(provider.close);
    const drawing = await startService({ OPENAI_BASE_URL: provider.url });
    onTestFinished(drawing.close);
    for (const more of [{ output_format: 'gif' }, { output_format: 'svg', svg: { model: 'gpt-5.4' } }]) {
      const job = await drawing.acme.generate({ prompt: 'A fox', ...more });
      const { pathname, search } = new URL(job.images[0]?.url ?? '');
      for (const line of [`GET /images/${job.id}/content/0`, `GET ${pathname}${search}`]) {
        const reply = await checked(line, { url: drawing.url });
        expect([line, reply.status, reply.faults]).toEqual([line, 200, []]);
      }
    }
  });
});
