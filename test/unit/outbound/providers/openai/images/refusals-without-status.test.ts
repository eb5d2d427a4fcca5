import { describe, expect, it } from 'vitest';
import { ProviderError } from '../../../../../../src/domain/ports.ts';
import { followEventStream } from '../../../../../../src/outbound/providers/openai/images/follow-event-stream.ts';
import { decode, decodeFailureOf, decoderLimits } from '../../../../../support/decode-image.ts';
import { chunked, noiseImage } from '../../../../../support/images.ts';

/** Objects that state a refusal in a complete response or an event, and the code that they stand for. */
const refusals: readonly [string, object][] = [
  ['provider_quota_exhausted', { request_id: 'x', code: 'insufficient_user_quota', message: 'y' }],
  [
    'provider_quota_exhausted',
    { data: {}, base_resp: { status_code: 1008, status_msg: 'insufficient balance' } },
  ],
  ['provider_quota_exhausted', { error: 'insufficient_quota' }],
  ['provider_quota_exhausted', { success: false, code: 'insufficient_quota' }],
  [
    'provider_quota_exhausted',
    { ResponseMetadata: { Error: { Code: 'AccountOverdueError', Message: 'y' } } },
  ],
  ['moderation_blocked', { request_id: 'x', output: { task_id: 't', code: 'DataInspectionFailed' } }],
  ['moderation_blocked', { base_resp: { status_code: 1026, status_msg: 'input new_sensitive' } }],
  ['moderation_blocked', { code: 'moderation_blocked' }],
  ['moderation_blocked', { err: { code: 'moderation_blocked' } }],
  ['moderation_blocked', { data: { error: { code: 'moderation_blocked' } } }],
  ['moderation_blocked', { status: 'failed', failure: 'moderation', failure_code: 'moderation_blocked' }],
  ['moderation_blocked', { choices: [{ finish_reason: 'content_filter' }] }],
  ['moderation_blocked', { promptFeedback: { blockReason: 'SAFETY' } }],
  ['moderation_blocked', { error: true, message: 'Your request was rejected by our safety system' }],
  ['moderation_blocked', { error: 'Bad', code: 'moderation_blocked' }],
];

const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;

async function followed(text: string): Promise<unknown> {
  const context = { signal: new AbortController().signal, timeoutMs: 1_000 };
  const following = { limits: decoderLimits, provider: { status: 200 }, context };
  try {
    for await (const _ of followEventStream(chunked(Buffer.from(text), 100), following));
    return null;
  } catch (error) {
    return error instanceof ProviderError ? error.failure : error;
  }
}

describe('a refusal without a status of its own', () => {
  it.each(refusals)('is classified as %s in a complete response: %j', async (code, body) => {
    expect(await decodeFailureOf(JSON.stringify(body))).toMatchObject({ code, billing: 'none' });
  });

  it.each(refusals)('is classified as %s in an event: %j', async (code, body) => {
    expect(await decodeFailureOf(event(body))).toMatchObject({ code, billing: 'none' });
    expect(await followed(event(body))).toMatchObject({ code, billing: 'none' });
  });

  it.each([
    ['a list', [{ error: { code: 'moderation_blocked' } }]],
    ['a text', 'Your request was rejected by our safety system'],
  ])('is classified in an event whose data is %s', async (_name, data) => {
    const text = `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
    expect(await decodeFailureOf(text)).toMatchObject({ code: 'moderation_blocked', billing: 'none' });
    expect(await followed(text)).toMatchObject({ code: 'moderation_blocked', billing: 'none' });
  });

  const usage = { input_tokens: 17, output_tokens: 196, total_tokens: 213 };
  const complete: readonly [string, string, object][] = [
    ['moderation_blocked', 'unusable', { data: [], error: { code: 'moderation_blocked', message: 'y' } }],
    ['moderation_blocked', 'unusable', { data: [{ b64_json: null, finish_reason: 'content_filter' }] }],
    [
      'moderation_blocked',
      'unusable',
      { data: [{ b64_json: '', content_filter_results: { sexual: { filtered: true } } }] },
    ],
    [
      'moderation_blocked',
      'unusable',
      { data: [{ b64_json: 'PGh0bWw+PC9odG1sPg==' }], error: { code: 'moderation_blocked' } },
    ],
    ['provider_quota_exhausted', 'unusable', { data: [], error: { code: 'insufficient_quota' } }],
    ['provider_rate_limited', 'damaged', { data: [], error: { code: 'rate_limit_exceeded' } }],
  ];

  it.each(complete)('is charged as %s with the usage that it reports (%s): %j', async (code, kind, body) => {
    for (const text of [
      JSON.stringify({ ...body, usage }),
      event({ type: 'image_generation.completed', ...body, usage }),
    ])
      expect(await decodeFailureOf(text)).toMatchObject({ kind, code, billing: 'charged', spent: { usage } });
  });

  it.each(complete)('is free as %s without a usage above zero (%s): %j', async (code, _kind, body) => {
    const none = { input_tokens: 0, output_tokens: 0, total_tokens: 0 };
    for (const reported of [{}, { usage: none }])
      expect(await decodeFailureOf(JSON.stringify({ ...body, ...reported }))).toMatchObject({
        code,
        billing: 'none',
      });
  });

  it('never counts what a caller wrote into the metadata of the call', async () => {
    const body = { metadata: { code: 'insufficient_quota', message: 'You exceeded your current quota' } };
    expect(await decodeFailureOf(JSON.stringify(body))).toMatchObject({ code: 'provider_unusable_answer' });
    expect(await decodeFailureOf(event(body))).toMatchObject({ code: 'provider_unusable_answer' });
    const created = { type: 'response.created', response: { metadata: body.metadata, error: null } };
    expect(await decodeFailureOf(event(created))).toMatchObject({ code: 'provider_unusable_answer' });
  });

  it('does not end a stream whose progress says that there is no error', async () => {
    const image = {
      type: 'image_generation.completed',
      b64_json: (await noiseImage(8, 8)).toString('base64'),
    };
    for (const error of [false, '', 0, null]) {
      const text = event({ error, progress: 10 }) + event(image);
      expect(await followed(text)).toBeNull();
      expect((await decode(text)).image).toMatchObject({ width: 8 });
    }
  });
});

describe('a data URI in place of an image', () => {
  it.each([
    ['data[].image_url', (link: string) => ({ data: [{ image_url: link }] })],
    ['data[].image_url.url', (link: string) => ({ data: [{ image_url: { url: link } }] })],
    ['data[].image', (link: string) => ({ data: [{ image: link }] })],
    ['data[]', (link: string) => ({ data: [link] })],
    ['data.url', (link: string) => ({ data: { url: link } })],
    ['images[].url', (link: string) => ({ images: [{ url: link }] })],
    ['images[]', (link: string) => ({ images: [link] })],
    ['output[]', (link: string) => ({ output: [link] })],
    ['image', (link: string) => ({ image: link })],
    [
      'the message of a chat',
      (url: string) => ({ choices: [{ message: { images: [{ image_url: { url } }] } }] }),
    ],
  ])('is decoded, because it is paid: %s', async (_path, body) => {
    const png = await noiseImage(16, 16);
    const text = JSON.stringify(body(`data:image/png;base64,${png.toString('base64')}`));
    expect((await decode(text)).image.bytes.equals(png)).toBe(true);
  });
});
