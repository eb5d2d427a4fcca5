import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { ProviderError, type ProviderFailure } from '../../../../../../src/domain/ports.ts';
import { decodeResponseBody } from '../../../../../../src/outbound/providers/openai/images/decode-response-body.ts';
import { escapeBase64, escapings } from '../../../../../support/escape-base64.ts';
import { chunked, noiseImage } from '../../../../../support/images.ts';

const limits = { maxResponseBytes: 8 * 1024 * 1024, maxPixels: 64_000_000 };
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

function decode(text: string | Buffer, chunkBytes = 64 * 1024, with_ = limits) {
  return decodeResponseBody(chunked(Buffer.from(text), chunkBytes), with_);
}

async function failureOf(text: string | Buffer, with_ = limits): Promise<ProviderFailure> {
  try {
    await decode(text, 1000, with_);
  } catch (error) {
    if (error instanceof ProviderError) return error.failure;
    throw error;
  }
  throw new Error('the response was accepted');
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const response = (b64: unknown, rest: object = {}) =>
  JSON.stringify({ created: 1, data: [{ b64_json: b64 }], ...rest });

describe('decoding a response of the Images API', () => {
  it('returns the image bytes unchanged, with type and size read from the bytes', async () => {
    const decoded = await decode(response(base64, { usage, output_format: 'webp', size: '1x1' }));
    expect(decoded.image.bytes.equals(png)).toBe(true);
    expect(decoded).toMatchObject({
      image: { contentType: 'image/png', width: 24, height: 17 },
      usage,
      revisedPrompt: null,
    });
  });

  it('recognizes JPEG and WebP by their bytes', async () => {
    expect((await decode(response(jpeg.toString('base64')))).image).toMatchObject({
      contentType: 'image/jpeg',
      width: 24,
      height: 17,
    });
    expect((await decode(response(webp.toString('base64')))).image).toMatchObject({
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
    const text = response(base64);
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

  it('reports the valid parts of a usage and treats the rest as unknown', async () => {
    const details = { ...usage, input_tokens_details: { text_tokens: 'many', image_tokens: 0 } };
    expect((await decode(response(base64, { usage: details }))).usage).toEqual({
      ...usage,
      input_tokens_details: { image_tokens: 0 },
    });
    expect((await decode(response(base64, { usage: { input_tokens: 1, output_tokens: 2 } }))).usage).toEqual({
      input_tokens: 1,
      output_tokens: 2,
      total_tokens: 3,
    });
    expect(
      (await decode(response(base64, { usage: { input_tokens: -1, output_tokens: 2 } }))).usage,
    ).toBeNull();
    expect((await decode(response(base64, { usage: 'none' }))).usage).toBeNull();
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
    const decoded = await decode(`${response(trailed.toString('base64'))}\n\0<!-- gateway -->`);
    expect(decoded.image.bytes.equals(trailed)).toBe(true);
  });

  it('rethrows an error of the source', async () => {
    const broken = new Error('disk');
    const reading = (async function* () {
      yield Buffer.from('{"data":[');
      throw broken;
    })();
    await expect(decodeResponseBody(reading, limits)).rejects.toBe(broken);
  });

  it('decodes an image that exceeds the first buffer', async () => {
    const large = await noiseImage(1400, 1400);
    expect(large.length).toBeGreaterThan(4 * 1024 * 1024);
    const wide = { ...limits, maxResponseBytes: 16 * 1024 * 1024 };
    const decoded = await decode(response(large.toString('base64')), 65_537, wide);
    expect(sha256(decoded.image.bytes)).toBe(sha256(large));
  });
});

/** Complete responses of another shape. Another call would return the same, so the provider is not called again. */
const complete =
  /web page|JSON object\.|JSON list|event stream|raw bytes|task to poll|"data"|missing or null|link instead|error sent as|image is empty|are a |are AVIF|archive|beside the image/;

describe('a response without a usable image', () => {
  const cases: readonly [string, () => string | Buffer, RegExp][] = [
    ['nothing', () => '', /it is empty/],
    ['white space only', () => '   \n ', /it is empty/],
    ['a web page', () => '<!doctype html><html></html>', /web page/],
    ['plain text', () => 'upstream error', /not a JSON object/],
    ['a JSON list', () => '[1]', /JSON list/],
    ['an event stream', () => 'data: {"x":1}\n\n', /it is an event stream/],
    ['raw image bytes', () => png, /raw bytes of a PNG image/],
    ['a task', () => '{"task_id":"t_1","status":"submitted"}', /names a task to poll/],
    ['JSON cut off before the image', () => '{"data":[{"b64_json":', /cut off/],
    ['JSON cut off in the image', () => response(base64).slice(0, 200), /cut off in the middle of the image/],
    ['JSON cut off after the image', () => response(base64).slice(0, -2), /cut off/],
    ['invalid JSON', () => response(base64).replace('"created":1', '"created":01'), /not valid JSON/],
    ['brackets that do not match', () => `{"data":[{"b64_json":"${base64}"]}}`, /not valid JSON/],
    ['no data', () => '{"created":1}', /no list "data"/],
    ['data that is no list', () => '{"data":{"b64_json":"AAAA"}}', /no list "data"/],
    ['empty data', () => '{"data":[]}', /list "data" is empty/],
    ['a null image', () => response(null), /b64_json is missing or null/],
    ['an image that is a number', () => response(7), /b64_json is missing or null/],
    [
      'a link',
      () => '{"data":[{"url":"https://example.com/a.png"}]}',
      /it holds a link instead of the image/,
    ],
    [
      'an error sent as 200',
      () => '{"error":{"message":"Boom sk-abcdefghijkl","code":"x"}}',
      /error sent as a success: Boom \[redacted\]/,
    ],
    ['an empty image', () => response(''), /the image is empty/],
    ['a data URL without data', () => response('data:image/png;base64,'), /the image is empty/],
    ['a data URL without a comma', () => response('data:image/png'), /no comma/],
    [
      'a data URL that never begins its data',
      () => response(`data:${'a'.repeat(3000)}`),
      /invalid characters/,
    ],
    [
      'base64 with a blank in it',
      () => response(`${base64.slice(0, 40)} ${base64.slice(41)}`),
      /invalid characters/,
    ],
    [
      'base64 with a quote in it',
      () => response(`${base64.slice(0, 40)}"${base64.slice(41)}`),
      /invalid characters/,
    ],
    [
      'base64 with another script in it',
      () => response(`${base64.slice(0, 40)}Ж${base64.slice(41)}`),
      /invalid characters/,
    ],
    ['base64 of the wrong length', () => response(base64.slice(0, 401)), /base64 text is cut off/],
    [
      'base64 with padding in the middle',
      () => response(`${base64.slice(0, 40)}=${base64.slice(41)}`),
      /continues after its end/,
    ],
    ['base64 with too much padding', () => response('AAAAA==='), /continues after its end/],
    ['base64 with a single digit and padding', () => response('AAAAA=='), /base64 text is cut off/],
    [
      'an image whose end is missing',
      () => response(png.subarray(0, 900).toString('base64')),
      /PNG is cut off/,
    ],
    ['a cut GIF', () => response(Buffer.from('GIF89a\x01\x00\x01\x00').toString('base64')), /GIF is cut off/],
    ['a cut SVG', () => response(Buffer.from('<svg xmlns="x"><path').toString('base64')), /SVG is cut off/],
    ['a web page as an image', () => response(Buffer.from('\n<html>').toString('base64')), /web page/],
    ['a zip archive', () => response(Buffer.from('PK\x03\x04aaaaaaaa').toString('base64')), /zip archive/],
    ['an AVIF', () => response(Buffer.from('\0\0\0\x20ftypavif....').toString('base64')), /are AVIF/],
    ['other bytes', () => response('AAAA'), /no PNG, JPEG, WebP, GIF or SVG/],
    ['too much beside the image', () => response(base64, { note: 'x'.repeat(300_000) }), /beside the image/],
    ['a name that is broken', () => '{"da\\x":1}', /name in it is not valid JSON/],
  ];

  it.each(cases)(
    'reports %s, and allows another call only if bytes are damaged',
    async (_name, text, message) => {
      const failure = await failureOf(text());
      expect(failure.message).toMatch(message);
      expect(failure).toMatchObject({
        kind: complete.test(failure.message) ? 'unusable' : 'damaged',
        code: 'provider_unusable_answer',
        billing: 'possible',
      });
    },
  );

  it('treats a response without an image as charged if it reports its usage', async () => {
    const failure = await failureOf(response(png.subarray(0, 900).toString('base64'), { usage }));
    expect(failure.billing).toBe('charged');
    expect((await failureOf(JSON.stringify({ data: [], usage }))).billing).toBe('charged');
  });

  it('reports the code of an error that was sent with a success status', async () => {
    const failure = await failureOf('{"error":{"message":"no","code":"engine_down"}}');
    expect(failure.provider).toEqual({ code: 'engine_down' });
  });

  it('refuses a response or an image above its byte limit', async () => {
    const small = { maxResponseBytes: 2_000, maxPixels: 1e6 };
    expect((await failureOf(response('A'.repeat(5_000)), small)).message).toMatch(/larger than 2000 bytes/);
  });

  it('reads at most 64 KiB of a body that is not JSON', async () => {
    let read = 0;
    const endless = (async function* () {
      while (true) {
        read += 1;
        yield Buffer.from('<html>');
      }
    })();
    await expect(decodeResponseBody(endless, limits)).rejects.toThrow(/web page/);
    expect(read * 6).toBeLessThan(70_000);
  });
});

describe('image size limits', () => {
  const sized = (width: number, height: number) => {
    const bytes = Buffer.from(png);
    bytes.writeUInt32BE(width, 16);
    bytes.writeUInt32BE(height, 20);
    return response(bytes.toString('base64'));
  };

  it.each([
    [1, 30_000, /above 16384/],
    [0, 5, /size is 0x5/],
    [10_000, 10_000, /more than 64000000 pixels/],
    [100, 2_001, /more than 20 to 1/],
    [4_294_967_295, 4_294_967_295, /above 16384/],
  ])('refuses the image size %d x %d', async (width, height, message) => {
    expect((await failureOf(sized(width, height))).message).toMatch(message);
  });

  it('refuses image sizes immediately above the limits', async () => {
    expect((await decode(sized(100, 2_000))).image).toMatchObject({ width: 100, height: 2_000 });
    expect((await decode(sized(16_000, 4_000))).image.width).toBe(16_000);
  });
});
