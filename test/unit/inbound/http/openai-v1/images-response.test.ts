import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ImageJob } from '../../../../../src/domain/image-job.ts';
import { base64Length, base64Of } from '../../../../../src/inbound/http/openai-v1/base64-body.ts';
import {
  describeImage,
  describeWarnings,
  imageEventPieces,
  imagesBody,
} from '../../../../../src/inbound/http/openai-v1/images-response.ts';
import type { Piece } from '../../../../../src/inbound/http/openai-v1/write-pieces.ts';
import { queuedJob } from '../../../../support/jobs.ts';

/** Usage in the form of OpenAI's API. */
interface Usage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly total_tokens: number;
  readonly input_tokens_details: { readonly text_tokens: number };
}

async function textOf(pieces: AsyncIterable<Piece>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

async function* chunksOf(bytes: Buffer, sizes: readonly number[]) {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

const image = (index: number, bytes: Buffer) => ({
  image: {
    index,
    storageKey: `acme/img_1/${index}-1.png`,
    contentType: 'image/png',
    width: 1024,
    height: 1024,
    sizeBytes: bytes.length,
    sha256: 'x',
  },
  open: async () => chunksOf(bytes, [1, 2, 3, 5]),
});

function succeeded(sources: readonly ReturnType<typeof image>[]): ImageJob {
  return {
    ...queuedJob({ tenant: 'acme' }),
    status: 'succeeded',
    finishedAt: 1_764_000_000_500,
    images: sources.map((source) => source.image),
    usage: { input_tokens: 17, output_tokens: 196, total_tokens: 213 },
  };
}

describe('base64Of', () => {
  it('encodes all bytes as base64, for any split into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fc.nat({ max: 40 }), { maxLength: 8 }),
        async (data, sizes) => {
          const bytes = Buffer.from(data);
          const text = await textOf(base64Of(chunksOf(bytes, sizes)));
          expect(text).toBe(bytes.toString('base64'));
          expect(base64Length(bytes.length)).toBe(text.length);
        },
      ),
    );
  });
});

describe('imagesBody', () => {
  it('responds like the OpenAI API with the bytes of every image and a known length', async () => {
    const bytes = [randomBytes(1000), randomBytes(1001)];
    const sources = bytes.map((each, index) => image(index, each));
    const body = imagesBody(succeeded(sources), sources, ['style was ignored.']);
    const text = await textOf(body.pieces());
    expect(Buffer.byteLength(text)).toBe(body.sizeBytes);
    expect(JSON.parse(text)).toMatchObject({
      created: 1_764_000_000,
      data: bytes.map((each) => ({ b64_json: each.toString('base64') })),
      background: 'auto',
      output_format: 'png',
      size: '1024x1024',
      usage: { total_tokens: 213 },
      warnings: ['style was ignored.'],
    });
  });

  it('contains links instead of bytes if the caller requests links', async () => {
    const source = { ...image(0, randomBytes(9)), url: 'https://images.example/1' };
    const body = imagesBody(succeeded([source]), [source], []);
    const text = await textOf(body.pieces());
    expect(Buffer.byteLength(text)).toBe(body.sizeBytes);
    expect(JSON.parse(text).data).toEqual([{ url: 'https://images.example/1' }]);
  });

  it('opens an image only after the previous image was read', async () => {
    const opened: number[] = [];
    const sources = [0, 1].map((index) => ({
      ...image(index, Buffer.from('abc')),
      open: async () => {
        opened.push(index);
        return chunksOf(Buffer.from('abc'), []);
      },
    }));
    const seen: number[] = [];
    for await (const piece of imagesBody(succeeded(sources), sources, []).pieces()) {
      if (piece.toString() === 'YWJj') seen.push(opened.length);
    }
    expect(seen).toEqual([1, 2]);
  });
});

describe('describeImage', () => {
  it('gives every event a share of the usage, and all shares add up to the usage of the job', () => {
    const job = succeeded([0, 1, 2].map((index) => image(index, randomBytes(9))));
    const shares = job.images.map(
      (each, index) => describeImage(job, { image: each, index, count: 3 }).usage as Usage,
    );
    const sumOf = (number: (usage: Usage) => number) => shares.reduce((sum, each) => sum + number(each), 0);
    expect(sumOf((usage) => usage.input_tokens)).toBe(17);
    expect(sumOf((usage) => usage.output_tokens)).toBe(196);
    expect(sumOf((usage) => usage.total_tokens)).toBe(213);
    expect(sumOf((usage) => usage.input_tokens_details.text_tokens)).toBe(17);
  });

  it('states the size and the format of its own image, in whatever sequence the images were stored', async () => {
    const [first, second] = [image(0, randomBytes(9)), image(1, randomBytes(9))];
    const wide = { ...second.image, width: 1536, contentType: 'image/webp' };
    const job = succeeded([{ ...second, image: wide }, first]);
    expect(describeImage(job, { image: first.image, index: 0, count: 2 })).toMatchObject({
      size: '1024x1024',
      output_format: 'png',
    });
    expect(describeImage(job, { image: wide, index: 1, count: 2 })).toMatchObject({
      size: '1536x1024',
      output_format: 'webp',
    });
    const body = imagesBody(job, [first, { ...second, image: wide }], []);
    expect(JSON.parse(await textOf(body.pieces()))).toMatchObject({ size: '1024x1024' });
  });
});

describe('describeWarnings', () => {
  it('repeats no text that the job and the request both have', () => {
    const job = { ...succeeded([]), warnings: ['style was ignored.', 'The model ends soon.'] };
    expect(describeWarnings(job, ['style was ignored.'])).toEqual([
      'style was ignored.',
      'The model ends soon.',
    ]);
  });

  it('names each image that is missing, but no error that a later call repaired', () => {
    const error = { message: 'Refused.', stage: 'generating', retryable: false, billing: 'none' } as const;
    const job: ImageJob = {
      ...succeeded([image(0, Buffer.from('a'))]),
      errors: [
        { ...error, code: 'provider_overloaded', index: 0 },
        { ...error, code: 'moderation_blocked', index: 1 },
      ],
    };
    expect(describeWarnings(job, [])).toEqual(['An image is missing (moderation_blocked): Refused.']);
  });
});

describe('imageEventPieces', () => {
  it('sends one server-sent event whose data repeats its type', async () => {
    const text = await textOf(
      imageEventPieces(
        'image_generation.completed',
        { size: '1024x1024' },
        chunksOf(Buffer.from('abcd'), [1]),
      ),
    );
    const [first, second, ...rest] = text.split('\n');
    expect(first).toBe('event: image_generation.completed');
    expect(JSON.parse((second ?? '').replace(/^data: /, ''))).toEqual({
      type: 'image_generation.completed',
      b64_json: 'YWJjZA==',
      size: '1024x1024',
    });
    expect(rest).toEqual(['', '']);
  });
});
