import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { ProviderError } from '../../../../../../src/domain/ports.ts';
import { decode, decodeFailureOf } from '../../../../../support/decode-image.ts';
import { escapeBase64, escapings } from '../../../../../support/escape-base64.ts';
import { noiseImage } from '../../../../../support/images.ts';

/** Tests responses of the Responses API. Those of the Images API are in decode-response-body.test.ts. */

const carried = { input_tokens: 60, output_tokens: 40, total_tokens: 100 };
const drawn = { input_tokens: 17, output_tokens: 196, total_tokens: 213 };

let png: Buffer;
let base64: string;
beforeAll(async () => {
  png = await noiseImage(24, 17);
  base64 = png.toString('base64');
});

const call = (result: unknown, rest: object = {}) => ({
  type: 'image_generation_call',
  id: 'ig_1',
  status: 'completed',
  result,
  ...rest,
});
const message = (text: string) => ({
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [] }],
});
const response = (output: unknown, rest: object = {}) =>
  JSON.stringify({
    id: 'resp_1',
    object: 'response',
    status: 'completed',
    error: null,
    model: 'gpt-5.4-mini',
    output,
    usage: carried,
    ...rest,
  });

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('decoding a response of the Responses API', () => {
  it('returns the unchanged image bytes, the usage of the image, the revised prompt and the host model', async () => {
    const text = response(
      [message('Here it is.'), call(base64, { revised_prompt: 'A lighthouse in a storm' })],
      { tool_usage: { image_gen: drawn, web_search: { num_requests: 0 } } },
    );
    const decoded = await decode(text);
    expect(decoded.image.bytes.equals(png)).toBe(true);
    expect(decoded).toMatchObject({
      image: { contentType: 'image/png', width: 24, height: 17 },
      usage: drawn,
      revisedPrompt: 'A lighthouse in a storm',
      hostModel: { model: 'gpt-5.4-mini', usage: carried },
    });
  });

  it('returns the cached input tokens by kind, which cost less, and leaves out faulty ones', async () => {
    const usageWith = async (cached_tokens_details: unknown) => {
      const image_gen = { ...drawn, cached_tokens: 20_010, cached_tokens_details };
      return (await decode(response([call(base64)], { tool_usage: { image_gen } }))).usage;
    };
    const counts = { cached_text_tokens: 10, cached_image_tokens: 20_000 };
    expect(await usageWith(counts)).toEqual({ ...drawn, cached_tokens_details: counts });
    expect(await usageWith({ cached_text_tokens: -1, cached_image_tokens: 5 })).toEqual({
      ...drawn,
      cached_tokens_details: { cached_image_tokens: 5 },
    });
    expect(await usageWith('none')).toEqual(drawn);
  });

  it('decodes the same bytes for any chunks, member order, white space and escapes', async () => {
    const json = fc.record({
      padding: fc.integer({ min: 0, max: 2 }),
      chunkBytes: fc.integer({ min: 1, max: 97 }),
      before: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }),
      after: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }),
      itemBefore: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }),
      earlyUpload: fc.array(
        fc.constantFrom(null, message('"result":"AAAA"'), call(null), { type: 'reasoning' }),
        {
          maxLength: 3,
        },
      ),
      others: fc.array(fc.base64String({ maxLength: 40 }), { maxLength: 3 }),
      indent: fc.constantFrom('', ' ', '\t', '\r\n  '),
      lead: fc.constantFrom('', '   \n\n', '\ufeff'),
      escaping: fc.constantFrom(...escapings),
    });
    await fc.assert(
      fc.asyncProperty(json, async (layout) => {
        const padded = Buffer.concat([png, Buffer.alloc(1 + layout.padding)]);
        const mark = '\u0001';
        const own = (members: object) =>
          Object.fromEntries(
            Object.entries(members).filter(
              ([key]) => !['data', 'output', 'result', 'tool_usage', '__proto__'].includes(key),
            ),
          );
        const text = JSON.stringify(
          {
            ...own(layout.before),
            output: [
              ...layout.earlyUpload,
              { ...own(layout.itemBefore), ...call(mark), revised_prompt: 'a "quoted" \\ prompt' },
              ...layout.others.map((other) => call(other)),
            ],
            ...own(layout.after),
            tool_usage: { image_gen: drawn },
          },
          null,
          layout.indent,
        ).replace(JSON.stringify(mark), `"${escapeBase64(padded.toString('base64'), layout.escaping)}"`);
        const decoded = await decode(layout.lead + text, layout.chunkBytes);
        expect(sha256(decoded.image.bytes)).toBe(sha256(padded));
        expect(decoded.image.sha256).toBe(sha256(padded));
        expect(decoded.usage).toEqual(drawn);
        expect(decoded.revisedPrompt).toBe('a "quoted" \\ prompt');
      }),
      { numRuns: 100 },
    );
  });

  it('never returns altered bytes if one character of the response is damaged', async () => {
    const text = response([message('Here.'), call(base64)], { tool_usage: { image_gen: drawn } });
    const start = text.indexOf(base64);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: text.length - 1 }),
        fc.integer({ min: 0, max: 127 }),
        async (at, code) => {
          // A digit changed to another digit is another valid image text, which the decoder cannot detect.
          const inImage = at >= start && at < start + base64.length;
          fc.pre(!inImage || !/[A-Za-z0-9+/_-]/.test(String.fromCharCode(code)));
          const damaged = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
          const decoded = await decode(damaged).catch((error: unknown) => error);
          if (decoded instanceof Error) expect(decoded).toBeInstanceOf(ProviderError);
          else expect(decoded).toMatchObject({ image: { bytes: png } });
        },
      ),
      { numRuns: 150 },
    );
  });

  it('decodes the first of several images and skips calls without an image', async () => {
    const second = (await noiseImage(30, 30)).toString('base64');
    const decoded = await decode(
      response([call(null, { status: 'failed' }), call(base64, { revised_prompt: 'one' }), call(second)]),
    );
    expect(decoded.image.bytes.equals(png)).toBe(true);
    expect(decoded.revisedPrompt).toBe('one');
  });

  it('ignores members of the same names at other positions', async () => {
    const text = response([{ ...call(base64), nested: { result: 'CCCC' }, note: '"result":"DDDD"' }], {
      result: 'AAAA',
      meta: { output: [{ result: 'BBBB' }] },
      metadata: { output: 'EEEE' },
    });
    expect((await decode(text)).image.bytes.equals(png)).toBe(true);
  });

  it('does not need the status of the call, which some servers leave at "generating"', async () => {
    const decoded = await decode(response([call(base64, { status: 'generating' })]));
    expect(decoded.image.bytes.equals(png)).toBe(true);
  });
});

describe('usage in a response of the Responses API', () => {
  it.each([
    ['is not given', {}],
    ['is all zeros although there is an image', { input_tokens: 0, output_tokens: 0, total_tokens: 0 }],
    ['is no usage', 'none'],
    ['is negative', { input_tokens: 1, output_tokens: -1 }],
  ])(
    'reports an unknown image usage if it %s, and never uses that of the language model',
    async (_name, image_gen) => {
      const decoded = await decode(response([call(base64)], { tool_usage: { image_gen } }));
      expect(decoded.usage).toBeNull();
      expect(decoded.hostModel).toEqual({ model: 'gpt-5.4-mini', usage: carried });
    },
  );

  it('reports an unknown usage of the language model if it is absent', async () => {
    const decoded = await decode(response([call(base64)], { usage: null, model: null }));
    expect(decoded).toMatchObject({ usage: null, hostModel: { model: '', usage: null } });
  });
});

describe('a broken response', () => {
  const cases: readonly [string, () => string, RegExp][] = [
    ['no output', () => response([]), /it holds no image\./],
    ['only text', () => response([message('I cannot draw that.')]), /the model wrote: I cannot draw that/],
    [
      'a refusal',
      () => response([{ type: 'message', content: [{ type: 'refusal', refusal: 'No. sk-abcdefghijkl' }] }]),
      /the model wrote: No\. \[redacted\]/,
    ],
    ['a call that made nothing', () => response([call(null, { status: 'failed' })]), /holds no image/],
    ['a result that is a number', () => response([call(7)]), /holds no image/],
    ['the result of another tool', () => response([{ type: 'mcp_call', result: base64 }]), /holds no image/],
    ['an output that is no list', () => response({ result: 'AAAA' }), /no list "data"/],
    ['an empty image', () => response([call('')]), /the image is empty/],
    ['base64 of the wrong length', () => response([call(base64.slice(0, 401))]), /base64 text is cut off/],
    ['other bytes', () => response([call('AAAA')]), /no PNG, JPEG, WebP, GIF or SVG/],
    [
      'an end in the image',
      () => response([call(base64)]).slice(0, 300),
      /cut off in the middle of the image/,
    ],
    ['an end before the image', () => response([call(base64)]).slice(0, 60), /it is cut off/],
    ['an error', () => response([], { error: { code: 'server_error', message: 'Boom' } }), /Boom/],
  ];

  it.each(cases)('reports the fault of a response with %s', async (_name, text, message_) => {
    const failure = await decodeFailureOf(text());
    expect(failure.message).toMatch(message_);
    const isDamaged = /cut off/.test(failure.message);
    expect(failure).toMatchObject({
      kind: isDamaged ? 'damaged' : 'unusable',
      code: 'provider_unusable_answer',
    });
  });

  it('treats a broken response as charged if it reports usage of the language model', async () => {
    expect((await decodeFailureOf(response([]))).billing).toBe('charged');
    expect((await decodeFailureOf(response([], { usage: null }))).billing).toBe('possible');
  });
});
