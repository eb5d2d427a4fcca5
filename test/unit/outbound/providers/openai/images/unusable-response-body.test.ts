import { beforeAll, describe, expect, it } from 'vitest';
import { decodeResponseBody } from '../../../../../../src/outbound/providers/openai/images/decode-response-body.ts';
import {
  decode,
  decodeFailureOf,
  decoderLimits,
  imagesResponse,
} from '../../../../../support/decode-image.ts';
import { noiseImage } from '../../../../../support/images.ts';

const usage = { input_tokens: 17, output_tokens: 196, total_tokens: 213 };

let png: Buffer;
let base64: string;
beforeAll(async () => {
  png = await noiseImage(24, 17);
  base64 = png.toString('base64');
});

/** Complete responses of another shape. Another call would return the same, so the provider is not called again. */
const complete =
  /web page|JSON object\.|JSON list|raw bytes|task to poll|"data"|missing or null|link in|error sent as|image is empty|the bytes are|in place of|holds no base64|data URL|beside the image|not base64|ended without an image|last event/;

/** Name, response and message of responses without a usable image. */
const cases: readonly [string, () => string | Buffer, RegExp][] = [
  ['nothing', () => '', /it is empty/],
  ['white space only', () => '   \n ', /it is empty/],
  ['a web page', () => '<!doctype html><html></html>', /web page/],
  ['plain text', () => 'upstream error', /not a JSON object/],
  ['a JSON list', () => '[1]', /JSON list/],
  ['an event stream without an image', () => 'data: {"x":1}\n\n', /last event holds no image/],
  ['a stream of a task', () => 'data: {"task_id":"t","status":"pending"}\n\n', /names a task to poll/],
  ['a chat', () => 'data: {"choices":[{"finish_reason":"stop"}]}\n\n', /last event holds no image/],
  ['a stream that only stays open', () => 'data: {"type":"ping"}\n\n', /ended before the final image/],
  ['raw image bytes', () => png, /raw bytes of a PNG image/],
  ['a task', () => '{"task_id":"t_1","status":"submitted"}', /names a task to poll/],
  ['JSON cut off before the image', () => '{"data":[{"b64_json":', /cut off/],
  [
    'JSON cut off in the image',
    () => imagesResponse(base64).slice(0, 200),
    /cut off in the middle of the image/,
  ],
  ['JSON cut off after a cut image', () => imagesResponse(base64.slice(0, 400)).slice(0, -2), /cut off/],
  ['invalid JSON without an image', () => '{"created":01,"data":[]}', /not valid JSON/],
  ['a list of images of another API', () => `{"images":["${base64}"]}`, /no list "data"/],
  ['images of another API', () => `{"artifacts":[{"base64":"${base64}"}]}`, /no list "data"/],
  ['an image in another member', () => `{"data":[{"image":"${base64}"}]}`, /missing or null/],
  ['an image in a wrapper', () => `{"code":0,"data":{"data":[{"b64_json":"${base64}"}]}}`, /no list "data"/],
  ['a text in JSON', () => `"${base64}"`, /not a JSON object/],
  ['a data URI as text', () => `data:image/png;base64,${base64}`, /not a JSON object/],
  ['a link in place of base64', () => imagesResponse('https://example.com/a.png'), /a link in place of/],
  ['a data URI without base64', () => '{"data":[{"url":"data:image/svg+xml,%3Csvg/%3E"}]}', /not base64/],
  ['a stream that ended without an image', () => 'data: {"x":1}\n\ndata: [DONE]\n\n', /ended without an/],
  ['no data', () => '{"created":1}', /no list "data"/],
  ['an object of another type', () => '{"type":"job.completed"}', /no list "data"/],
  ['data that is no list', () => '{"data":{"b64_json":"AAAA"}}', /no list "data"/],
  ['empty data', () => '{"data":[]}', /list "data" is empty/],
  ['a null image', () => imagesResponse(null), /b64_json is missing or null/],
  ['an image that is a number', () => imagesResponse(7), /b64_json is missing or null/],
  ['a link', () => '{"data":[{"url":"https://example.com/a.png"}]}', /it holds a link instead of the image/],
  [
    'an error sent as 200',
    () => '{"error":{"message":"Boom sk-abcdefghijkl","code":"x"}}',
    /error sent as a success: Boom \[redacted\]/,
  ],
  ['an empty image', () => imagesResponse(''), /the image is empty/],
  ['a data URL without data', () => imagesResponse('data:image/png;base64,'), /the image is empty/],
  ['a data URL without a comma', () => imagesResponse('data:image/png'), /no comma/],
  ['a data URL that never begins its data', () => imagesResponse(`data:${'a'.repeat(3000)}`), /is too long/],
  [
    'base64 with a quote in it',
    () => imagesResponse(`${base64.slice(0, 40)}"${base64.slice(41)}`),
    /continues after its end/,
  ],
  [
    'base64 with another script in it',
    () => imagesResponse(`${base64.slice(0, 40)}Ж${base64.slice(41)}`),
    /invalid characters/,
  ],
  ['base64 of the wrong length', () => imagesResponse(base64.slice(0, 401)), /base64 text is cut off/],
  [
    'base64 with padding in the middle',
    () => imagesResponse(`${base64.slice(0, 40)}=${base64.slice(41)}`),
    /continues after its end/,
  ],
  [
    'base64 with a single digit at its end',
    () => imagesResponse(`${base64.slice(0, 41)}===`),
    /text is cut off/,
  ],
  ['a single digit and padding', () => imagesResponse('AAAAA=='), /holds no base64/],
  [
    'an image whose end is missing',
    () => imagesResponse(png.subarray(0, 900).toString('base64')),
    /PNG is cut off/,
  ],
  [
    'a cut GIF',
    () => imagesResponse(Buffer.from('GIF89a\x01\x00\x01\x00').toString('base64')),
    /GIF is cut off/,
  ],
  [
    'a cut SVG',
    () => imagesResponse(Buffer.from('<svg xmlns="x"><path').toString('base64')),
    /SVG is cut off/,
  ],
  ['a web page as an image', () => imagesResponse(Buffer.from('\n<html>').toString('base64')), /web page/],
  [
    'a zip archive',
    () => imagesResponse(Buffer.from('PK\x03\x04aaaaaaaa').toString('base64')),
    /zip archive/,
  ],
  ['an AVIF', () => imagesResponse(Buffer.from('\0\0\0\x20ftypavif....').toString('base64')), /are AVIF/],
  ['a TIFF', () => imagesResponse(Buffer.from('II*\0aaaa').toString('base64')), /are TIFF/],
  ['a BMP', () => imagesResponse(Buffer.from('BMaaaaaaa').toString('base64')), /are BMP/],
  ['a HEIF', () => imagesResponse(Buffer.from('\0\0\0\x20ftypmif1....').toString('base64')), /are HEIF/],
  ['a video', () => imagesResponse(Buffer.from('\0\0\0\x20ftypisom....').toString('base64')), /are a video/],
  ['a JPEG XL', () => imagesResponse(Buffer.from('/wo=', 'base64').toString('base64')), /are JPEG XL/],
  ['base64 of base64', () => imagesResponse(Buffer.from(base64).toString('base64')), /are text/],
  ['other bytes', () => imagesResponse('AAAA'), /no PNG, JPEG, WebP, GIF or SVG/],
  [
    'too much beside the image',
    () => `{"data":[{"b64_json":"${base64}"}],"note":[${'1,'.repeat(150_000)}1]}`,
    /beside the image/,
  ],
  ['a name that is broken', () => '{"da\\x":1}', /name in it is not valid JSON/],
];

describe('a response without a usable image', () => {
  it.each(cases)(
    'reports %s, and allows another call only if bytes are damaged',
    async (_name, text, message) => {
      const failure = await decodeFailureOf(text());
      expect(failure.message).toMatch(message);
      expect(failure).toMatchObject({
        kind: complete.test(failure.message) ? 'unusable' : 'damaged',
        code: 'provider_unusable_answer',
        billing: 'possible',
      });
    },
  );

  it.each([
    ['a number with a zero in front', () => imagesResponse(base64).replace('"created":1', '"created":01')],
    ['a number that JSON does not have', () => imagesResponse(base64).replace('"created":1', '"usage":NaN')],
    ['a comma too many', () => imagesResponse(base64).replace(/}$/, ',}')],
    ['an end after the image', () => `{"data":[{"b64_json":"${base64}"`],
    ['an end before the last bracket', () => imagesResponse(base64, { usage }).slice(0, -1)],
    ['brackets that do not match', () => `{"data":[{"b64_json":"${base64}"]}}`],
  ])('uses a complete image beside invalid JSON, because it is paid: %s', async (_name, text) => {
    const { image, usage: counted } = await decode(text());
    expect([image.bytes.equals(png), counted]).toEqual([true, null]);
  });
});

describe('a refusal inside a success', () => {
  const moderated = { code: 'moderation_blocked', message: 'No.' };
  it.each([
    ['of an entry', { data: [{ b64_json: null, error: moderated }] }],
    ['of an entry without an image', { data: [{ error: moderated }] }],
    ['in the reason of an entry', { data: [{ b64_json: null, finish_reason: 'content_filter' }] }],
    [
      'in the filters of an entry',
      { data: [{ b64_json: '', content_filter_results: { hate: { filtered: true } } }] },
    ],
    ['in the reason of the response', { finish_reason: 'CONTENT_FILTERED', seed: 1 }],
    ['of a result', { success: false, result: { error: moderated } }],
    ['of a list', [{ error: moderated }]],
    ['as text in JSON', { error: 'Your request was rejected by our safety system.' }],
    ['of a prediction', { id: 'p', output: null, status: 'failed', error: 'NSFW content detected.' }],
    [
      'of an incomplete response',
      { status: 'incomplete', incomplete_details: { reason: 'content_filter' }, output: [] },
    ],
    [
      'of a call',
      { output: [{ type: 'image_generation_call', status: 'failed', result: null, error: moderated }] },
    ],
  ])('classifies a refusal inside a success like the 4xx that it stands for: %s', async (_name, body) => {
    expect(await decodeFailureOf(JSON.stringify(body))).toMatchObject({
      kind: 'final',
      code: 'moderation_blocked',
      billing: 'none',
    });
  });

  it.each([
    ['plain text', 'Your request was rejected by our safety system.'],
    ['the text of an error event', 'event: error\ndata: Your request was rejected by our safety system.\n\n'],
  ])('classifies a refusal inside a success that is no JSON: %s', async (_name, text) => {
    expect(await decodeFailureOf(text)).toMatchObject({ kind: 'final', code: 'moderation_blocked' });
  });
});

describe('a response without an image', () => {
  it('treats a response without an image as charged if it reports its usage', async () => {
    const failure = await decodeFailureOf(imagesResponse(png.subarray(0, 900).toString('base64'), { usage }));
    expect(failure.billing).toBe('charged');
    expect((await decodeFailureOf(JSON.stringify({ data: [], usage }))).billing).toBe('charged');
  });

  it('reports the code of an error that was sent with a success status', async () => {
    const failure = await decodeFailureOf('{"error":{"message":"no","code":"engine_down"}}');
    expect(failure.provider).toEqual({ code: 'engine_down' });
  });

  it('refuses a response or an image above its byte limit', async () => {
    const small = { maxResponseBytes: 2_000, maxPixels: 1e6 };
    expect((await decodeFailureOf(imagesResponse('A'.repeat(5_000)), small)).message).toMatch(
      /larger than 2000 bytes/,
    );
  });

  it('reads at most 64 KiB of a body that is not JSON', async () => {
    let read = 0;
    const endless = (async function* () {
      while (true) {
        read += 1;
        yield Buffer.from('<html>');
      }
    })();
    await expect(decodeResponseBody(endless, decoderLimits)).rejects.toThrow(/web page/);
    expect(read * 6).toBeLessThan(70_000);
  });
});

describe('image size limits', () => {
  const sized = (width: number, height: number) => {
    const bytes = Buffer.from(png);
    bytes.writeUInt32BE(width, 16);
    bytes.writeUInt32BE(height, 20);
    return imagesResponse(bytes.toString('base64'));
  };

  it.each([
    [1, 30_000, /above 16384/],
    [0, 5, /size is 0x5/],
    [10_000, 10_000, /more than 64000000 pixels/],
    [100, 2_001, /more than 20 to 1/],
    [4_294_967_295, 4_294_967_295, /above 16384/],
  ])('refuses the image size %d x %d', async (width, height, message) => {
    expect((await decodeFailureOf(sized(width, height))).message).toMatch(message);
  });

  it('accepts image sizes at the limits', async () => {
    expect((await decode(sized(100, 2_000))).image).toMatchObject({ width: 100, height: 2_000 });
    expect((await decode(sized(16_000, 4_000))).image.width).toBe(16_000);
  });
});
