import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { ProviderError } from '../../../../../../src/domain/ports.ts';
import { decodeResponseBody } from '../../../../../../src/outbound/providers/openai/images/decode-response-body.ts';
import { decode, decoderLimits, imagesResponse } from '../../../../../support/decode-image.ts';
import { escapeBase64, escapings } from '../../../../../support/escape-base64.ts';
import { noiseImage } from '../../../../../support/images.ts';

const usage = { input_tokens: 17, output_tokens: 196, total_tokens: 213 };

let png: Buffer;
let jpeg: Buffer;
let webp: Buffer;
let base64: string;

beforeAll(async () => {
  [png, jpeg, webp] = await Promise.all([
    noiseImage(24, 17, 'png'),
    noiseImage(24, 17, 'jpeg'),
    noiseImage(24, 17, 'webp'),
  ]);
  base64 = png.toString('base64');
});

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('decoding a response of the Images API', () => {
  it('returns the image bytes unchanged, with type and size read from the bytes', async () => {
    const decoded = await decode(imagesResponse(base64, { usage, output_format: 'webp', size: '1x1' }));
    expect(decoded.image.bytes.equals(png)).toBe(true);
    expect(decoded).toMatchObject({
      image: { contentType: 'image/png', width: 24, height: 17 },
      usage,
      revisedPrompt: null,
    });
  });

  it('recognizes JPEG and WebP by their bytes', async () => {
    expect((await decode(imagesResponse(jpeg.toString('base64')))).image).toMatchObject({
      contentType: 'image/jpeg',
      width: 24,
      height: 17,
    });
    expect((await decode(imagesResponse(webp.toString('base64')))).image).toMatchObject({
      contentType: 'image/webp',
      width: 24,
      height: 17,
    });
  });

  it('decodes the same bytes for any chunks, member order, white space and escapes', async () => {
    const json = fc.record({
      image: fc.uint8Array({ minLength: 1, maxLength: 300 }),
      chunkBytes: fc.integer({ min: 1, max: 97 }),
      before: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }),
      after: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }),
      itemBefore: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }),
      others: fc.array(fc.base64String({ maxLength: 40 }), { maxLength: 3 }),
      indent: fc.constantFrom('', ' ', '\t', '\r\n  '),
      lead: fc.constantFrom('', '   \n\n', '\ufeff'),
      escaping: fc.constantFrom(...escapings),
    });
    await fc.assert(
      fc.asyncProperty(json, async (layout) => {
        const bytes = Buffer.concat([png, Buffer.from([0])]);
        const padded = Buffer.concat([bytes, Buffer.alloc(layout.image.length % 3)]);
        const mark = '\u0001';
        const own = (members: object) =>
          Object.fromEntries(
            Object.entries(members).filter(([key]) => !['data', 'b64_json', '__proto__'].includes(key)),
          );
        const text = JSON.stringify(
          {
            ...own(layout.before),
            data: [
              { ...own(layout.itemBefore), b64_json: mark, revised_prompt: 'a "quoted" \\ prompt' },
              ...layout.others.map((other) => ({ b64_json: other })),
            ],
            ...own(layout.after),
            usage,
          },
          null,
          layout.indent,
        ).replace(JSON.stringify(mark), `"${escapeBase64(padded.toString('base64'), layout.escaping)}"`);
        const decoded = await decode(layout.lead + text, layout.chunkBytes);
        expect(sha256(decoded.image.bytes)).toBe(sha256(padded));
        expect(decoded.image.sha256).toBe(sha256(padded));
        expect(decoded.usage).toEqual(usage);
        expect(decoded.revisedPrompt).toBe('a "quoted" \\ prompt');
      }),
      { numRuns: 100 },
    );
  });

  it('never returns altered bytes if one character of the response is damaged', async () => {
    const text = imagesResponse(base64);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: text.length - 1 }),
        fc.integer({ min: 0, max: 127 }),
        async (at, code) => {
          const start = text.indexOf(base64);
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

  it('decodes the first of several images and its revised prompt', async () => {
    const second = (await noiseImage(30, 30)).toString('base64');
    const decoded = await decode(
      JSON.stringify({
        data: [
          { revised_prompt: 'one', b64_json: base64 },
          { b64_json: second, revised_prompt: 'two' },
        ],
      }),
    );
    expect(decoded.image.bytes.equals(png)).toBe(true);
    expect(decoded.revisedPrompt).toBe('one');
  });

  it('skips an entry without an image', async () => {
    const decoded = await decode(
      JSON.stringify({ data: [null, { b64_json: null }, { b64_json: base64, revised_prompt: 'b' }] }),
    );
    expect(decoded.revisedPrompt).toBe('b');
  });

  it('ignores members of the same name at other positions', async () => {
    const decoded = await decode(
      JSON.stringify({
        b64_json: 'AAAA',
        meta: { data: [{ b64_json: 'BBBB' }] },
        data: [{ nested: { b64_json: 'CCCC' }, note: '"b64_json":"DDDD"', b64_json: base64 }],
      }),
    );
    expect(decoded.image.bytes.equals(png)).toBe(true);
  });

  it.each([
    ['zeros', { input_tokens: 0, output_tokens: 0, total_tokens: 0 }],
    ['no output', { input_tokens: 17, output_tokens: 0, total_tokens: 17 }],
    ['more tokens than any image has', { input_tokens: 17, output_tokens: Number.MAX_SAFE_INTEGER }],
  ])('reports an unknown usage if the response counts %s for an image', async (_what, counted) => {
    expect((await decode(imagesResponse(base64, { usage: counted }))).usage).toBeNull();
  });

  it('reports the valid parts of a usage and treats the rest as unknown', async () => {
    const details = { ...usage, input_tokens_details: { text_tokens: 'many', image_tokens: 0 } };
    expect((await decode(imagesResponse(base64, { usage: details }))).usage).toEqual({
      ...usage,
      input_tokens_details: { image_tokens: 0 },
    });
    expect(
      (await decode(imagesResponse(base64, { usage: { input_tokens: 1, output_tokens: 2 } }))).usage,
    ).toEqual({
      input_tokens: 1,
      output_tokens: 2,
      total_tokens: 3,
    });
    expect(
      (await decode(imagesResponse(base64, { usage: { input_tokens: -1, output_tokens: 2 } }))).usage,
    ).toBeNull();
    expect((await decode(imagesResponse(base64, { usage: 'none' }))).usage).toBeNull();
  });

  it('decodes a data URI instead of a link', async () => {
    for (const scheme of ['data:', 'DATA:'])
      for (const chunkBytes of [1, 7, 65_536]) {
        const text = JSON.stringify({ data: [{ url: `${scheme}image/png;base64,${base64}` }], usage });
        const decoded = await decode(text, chunkBytes);
        expect(decoded.image.bytes.equals(png)).toBe(true);
        expect(decoded.usage).toEqual(usage);
      }
  });

  it('ignores bytes after the end of the JSON object and retains bytes after the end of the image', async () => {
    const trailed = Buffer.concat([png, Buffer.from('PK\x03\x04')]);
    const decoded = await decode(`${imagesResponse(trailed.toString('base64'))}\n\0<!-- gateway -->`);
    expect(decoded.image.bytes.equals(trailed)).toBe(true);
  });

  it('reads no further than the end of the JSON object', async () => {
    const reading = (async function* () {
      yield Buffer.from(imagesResponse(base64, { usage }));
      throw new Error('broken');
    })();
    expect((await decodeResponseBody(reading, decoderLimits)).usage).toEqual(usage);
  });

  it('rethrows an error of the source', async () => {
    const broken = new Error('disk');
    const reading = (async function* () {
      yield Buffer.from('{"data":[');
      throw broken;
    })();
    await expect(decodeResponseBody(reading, decoderLimits)).rejects.toBe(broken);
  });

  it('decodes an image that exceeds the first buffer', async () => {
    const large = await noiseImage(1400, 1400);
    expect(large.length).toBeGreaterThan(4 * 1024 * 1024);
    const wide = { ...decoderLimits, maxResponseBytes: 16 * 1024 * 1024 };
    const decoded = await decode(imagesResponse(large.toString('base64')), 65_537, wide);
    expect(sha256(decoded.image.bytes)).toBe(sha256(large));
  });
});
