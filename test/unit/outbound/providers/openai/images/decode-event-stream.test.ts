import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { decode as decodeBody, decodeFailureOf } from '../../../../../support/decode-image.ts';
import {
  completedEvent,
  errorEvent,
  partialEvent,
  serverEvent,
  usage,
} from '../../../../../support/event-streams.ts';
import { noiseImage } from '../../../../../support/images.ts';

const limits = { maxResponseBytes: 1024 * 1024, maxPixels: 64_000_000 };

let final: Buffer;
let preview: Buffer;
beforeAll(async () => {
  [final, preview] = await Promise.all([noiseImage(64, 64), noiseImage(48, 48)]);
});

const decode = (text: string, chunkBytes = 1000) => decodeBody(text, chunkBytes, limits);
const failureOf = (text: string) => decodeFailureOf(text, limits);

describe('a stream of the Images API', () => {
  it('is decoded to its final image and its usage, in chunks of any size', async () => {
    const text = partialEvent(0, preview) + partialEvent(1, preview) + completedEvent(final);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: text.length }), async (chunkBytes) => {
        const decoded = await decode(text, chunkBytes);
        expect(decoded.image).toMatchObject({ contentType: 'image/png', width: 64, height: 64 });
        expect(decoded.image.sha256).toBe(createHash('sha256').update(final).digest('hex'));
        expect(decoded.usage).toEqual(usage);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['edits', () => partialEvent(0, preview, 'edit') + completedEvent(final, 'edit')],
    ['a final image before its previews', () => completedEvent(final) + partialEvent(0, preview)],
    ['no previews', () => completedEvent(final)],
    ['comments and an end mark', () => `: hi\n\n${completedEvent(final)}data: [DONE]\n\n`],
    ['no empty line at its end', () => completedEvent(final).trimEnd()],
    ['white space in front', () => `\r\n\n${completedEvent(final)}`],
    [
      'events without names',
      () => (partialEvent(0, preview) + completedEvent(final)).replaceAll(/^event: .*\n/gm, ''),
    ],
    [
      'a type behind the image',
      () =>
        `data: ${JSON.stringify({ b64_json: final.toString('base64'), type: 'image_generation.completed' })}\n\n`,
    ],
    ['another name', () => completedEvent(final).replaceAll('.completed', '.finished')],
    ['a name with other dots', () => completedEvent(final).replaceAll('image_gen', 'image.gen')],
    [
      'a whole response in one event',
      () => `data: ${JSON.stringify({ data: [{ b64_json: final.toString('base64') }] })}\n\n`,
    ],
  ])('is decoded with %s', async (_name, text) => {
    expect((await decode(text())).image.bytes.equals(final)).toBe(true);
  });

  it('holds no preview as a final image, even without names and types', async () => {
    const data = { b64_json: preview.toString('base64'), partial_image_index: 0 };
    expect(await failureOf(`data: ${JSON.stringify(data)}\n\n`)).toMatchObject({ kind: 'damaged' });
  });

  it.each([
    ['previews only', () => partialEvent(0, preview), /ended before the final image/],
    ['a cut final image', () => completedEvent(final).slice(0, 900), /ended before the final image/],
    ['a damaged final image', () => completedEvent(final.subarray(0, 900)), /PNG is cut off/],
    [
      'base64 that is damaged',
      () => completedEvent(final).replace(/b64_json":".{40}/, '$&!'),
      /invalid characters/,
    ],
    [
      'an error of the provider',
      () => partialEvent(0, preview) + errorEvent({ code: 'server_error' }),
      /error sent as/,
    ],
  ])('may be called again if it has %s', async (_name, text, message) => {
    const failure = await failureOf(text());
    expect(failure).toMatchObject({ kind: 'damaged', code: 'provider_unusable_answer' });
    // The usage in the final event proves the charge.
    expect(failure.billing).toBe(failure.spent ? 'charged' : 'possible');
    expect(failure.message).toMatch(message);
  });

  it('is classified like the 4xx that its error event stands for', async () => {
    const error = { code: 'moderation_blocked', message: 'no', type: 'image_generation_user_error' };
    expect(await failureOf(partialEvent(0, preview) + errorEvent(error))).toMatchObject({
      kind: 'final',
      code: 'moderation_blocked',
      billing: 'none',
    });
  });

  it('is refused if its final image is too large, whatever its previews are', async () => {
    const huge = await noiseImage(1024, 1024);
    expect(await failureOf(completedEvent(huge))).toMatchObject({ kind: 'unusable' });
    const long = partialEvent(0, huge).repeat(2);
    expect(await failureOf(long)).toMatchObject({
      kind: 'unusable',
      message: expect.stringContaining('larger'),
    });
  });
});

describe('a stream of the Responses API', () => {
  const response = (fields: object) => ({ id: 'resp_1', object: 'response', model: 'gpt-5.4', ...fields });
  const call = (result: Buffer) => ({
    type: 'image_generation_call',
    result: result.toString('base64'),
    revised_prompt: 'A red fox',
  });

  it('is decoded to the image of its completed response', async () => {
    const text = [
      serverEvent('response.created', { response: response({ status: 'in_progress', output: [] }) }),
      serverEvent('response.image_generation_call.partial_image', {
        partial_image_index: 0,
        partial_image_b64: preview.toString('base64'),
      }),
      serverEvent('response.output_item.done', { item: call(final) }),
      serverEvent('response.completed', {
        response: response({ status: 'completed', output: [call(final)], tool_usage: { image_gen: usage } }),
      }),
    ].join('');
    expect(await decode(text)).toMatchObject({
      usage,
      revisedPrompt: 'A red fox',
      hostModel: { model: 'gpt-5.4' },
    });
    expect((await decode(text)).image.bytes.equals(final)).toBe(true);
  });

  it('is classified by the error of its failed response', async () => {
    const failed = response({
      status: 'failed',
      error: { code: 'moderation_blocked', message: 'no' },
      output: [],
    });
    expect(await failureOf(serverEvent('response.failed', { response: failed }))).toMatchObject({
      kind: 'final',
      code: 'moderation_blocked',
    });
  });
});
