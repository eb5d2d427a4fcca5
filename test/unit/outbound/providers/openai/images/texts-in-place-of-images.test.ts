import { beforeAll, describe, expect, it } from 'vitest';
import { decode, decodeFailureOf, imagesResponse } from '../../../../../support/decode-image.ts';
import { noiseImage } from '../../../../../support/images.ts';

const usage = { input_tokens: 17, output_tokens: 196, total_tokens: 213 };

let png: Buffer;
let base64: string;
beforeAll(async () => {
  png = Buffer.concat([await noiseImage(24, 17), Buffer.from('x')]);
  while (png.length % 3 !== 1) png = Buffer.concat([png, Buffer.from('x')]);
  base64 = png.toString('base64');
});

const bare = () => base64.replace(/=+$/, '');
const lines = (end: string) => (base64.match(/.{1,76}/g) ?? []).join(end);

describe('the base64 text of an image', () => {
  it.each([
    ['no padding', () => bare()],
    ['the URL-safe alphabet', () => png.toString('base64url')],
    ['too much padding', () => `${bare()}====`],
    ['a data URL without padding', () => `data:image/png;base64,${bare()}`],
    ['line breaks', () => lines('\r\n')],
    ['blanks', () => lines(' ')],
    ['white space around it', () => ` \t${base64}\n\f`],
    ['a byte order mark', () => `\ufeff${base64}`],
    ['a zero-width space', () => `\u200b${base64}`],
    ['quotes', () => `"${base64}"`],
    ['the form of Python bytes', () => `b'${base64}'`],
    ['half a data URL', () => `base64,${base64}`],
    ['a data URL without its scheme', () => `image/png;base64,${base64}`],
    ['percent-encoding', () => `data:image/png;base64,${encodeURIComponent(base64)}`],
  ])('is decoded with %s, in chunks of any size', async (_name, text) => {
    for (const chunkBytes of [1, 7, 1000, 65_536]) {
      const decoded = await decode(imagesResponse(text(), { usage }), chunkBytes);
      expect(decoded.image.bytes.equals(png)).toBe(true);
      expect(decoded.usage).toEqual(usage);
    }
  });

  it('may hold raw line breaks, which JSON does not allow', async () => {
    const text = imagesResponse(base64, { usage }).replace(base64, lines('\n'));
    expect(await decode(text)).toMatchObject({ image: { bytes: png }, usage });
  });

  it.each([
    ['None', /the word None in place of base64/],
    ['null', /the word null/],
    ['undefined', /the word undefined/],
    ['s3://bucket/key.png', /a link in place of/],
    ['gs://bucket/key.png', /a link in place of/],
    ['/files/abc.png', /a link in place of/],
    ['//cdn.example/x.png', /a link in place of/],
    ['Sorry, I can not draw that.', /the text "Sorry, I can not draw that\." in place of/],
    ['no image today', /the text "no image today"/],
    ['[object Object]', /the text/],
    ['<unavailable>', /holds no base64/],
    ['89504e470d0a1a0a0000000d49484452', /hexadecimal digits/],
    [Buffer.from('qoif\u0001\u0001\u0001\u0001').toString('base64'), /are QOI/],
    [Buffer.from('P6\n2 2\n255\n').toString('base64'), /are PNM/],
    [Buffer.alloc(300, 200).toString('base64'), /no PNG, JPEG, WebP, GIF or SVG/],
  ])('is a complete response of another shape if it is %s', async (text, message) => {
    const failure = await decodeFailureOf(imagesResponse(text, { usage }));
    expect(failure).toMatchObject({ kind: 'unusable', billing: 'charged' });
    expect(failure.message).toMatch(message);
  });

  it('is classified like the 4xx that it stands for if it is a refusal', async () => {
    const text = imagesResponse('Your request was rejected by the safety system.');
    expect(await decodeFailureOf(text)).toMatchObject({ kind: 'final', code: 'moderation_blocked' });
  });

  it.each([
    ['other characters', () => `${base64.slice(0, 41)}!${base64.slice(42)}`],
    ['an end in the middle', () => base64.slice(0, 401)],
    ['missing bytes', () => base64.slice(0, 400)],
  ])('allows another call if the bytes of an image are damaged: %s', async (_name, text) => {
    expect(await decodeFailureOf(imagesResponse(text()))).toMatchObject({ kind: 'damaged' });
  });
});

describe('a text in place of an image', () => {
  it.each([
    'Insufficient balance',
    'You exceeded your current quota',
    'Incorrect API key provided',
    'insufficient_quota',
    'rate_limit_exceeded',
    '{"error":{"code":"insufficient_quota"}}',
  ])('concerns one job only, because a model writes what a prompt asks for: %s', async (text) => {
    expect(await decodeFailureOf(imagesResponse(text))).toMatchObject({ kind: 'unusable' });
  });
});

describe('an image beside other members', () => {
  const link = () => `data:image/png;base64,${base64}`;
  it.each([
    ['an empty text and a data URL', () => ({ data: [{ b64_json: '', url: link() }] })],
    ['a data URL and an empty text', () => ({ data: [{ url: link(), b64_json: '' }] })],
    ['an empty entry', () => ({ data: [{ b64_json: '' }, { b64_json: base64 }] })],
    ['an entry with other bytes', () => ({ data: [{ b64_json: 'AAAA' }, { b64_json: base64 }] })],
    [
      'an entry with a cut image',
      () => ({ data: [{ b64_json: base64.slice(0, 99) }, { b64_json: base64 }] }),
    ],
    ['an entry after it', () => ({ data: [{ b64_json: base64 }, { b64_json: 'AAAA' }] })],
    ['a large text', () => ({ data: [{ b64_json: base64, thumbnail_b64: 'A'.repeat(400_000) }] })],
    [
      'large texts in front',
      () => ({ a: 'é\\"'.repeat(99_999), b: 'b'.repeat(1e6), data: [{ b64_json: base64 }] }),
    ],
  ])('is found with %s', async (_name, response) => {
    for (const chunkBytes of [997, 65_536]) {
      const decoded = await decode(JSON.stringify({ ...response(), usage }), chunkBytes);
      expect(decoded.image.bytes.equals(png)).toBe(true);
      expect(decoded.usage).toEqual(usage);
    }
  });

  it('keeps the revised prompt of the entry with the image', async () => {
    const data = [
      { b64_json: 'AAAA', revised_prompt: 'one' },
      { b64_json: base64, revised_prompt: 'two' },
    ];
    expect((await decode(JSON.stringify({ data }))).revisedPrompt).toBe('two');
  });

  it('is damaged if any entry began like an image and none is one', async () => {
    const data = [{ b64_json: 'AAAA' }, { b64_json: base64.slice(0, 400) }, { b64_json: '' }];
    const failure = await decodeFailureOf(JSON.stringify({ data }));
    expect(failure).toMatchObject({ kind: 'damaged', message: expect.stringContaining('PNG is cut off') });
  });
});

describe('a large error in a success', () => {
  const error = { message: 'x'.repeat(400_000), code: 'moderation_blocked' };
  it.each([
    ['an object', JSON.stringify({ error })],
    ['an event', `data: ${JSON.stringify({ type: 'error', error })}\n\n`],
  ])('is classified by its code behind its message: %s', async (_name, text) => {
    expect(await decodeFailureOf(text)).toMatchObject({ kind: 'final', code: 'moderation_blocked' });
  });
});
