import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkRequestText } from '../../../src/domain/check-request-text.ts';
import { AppError, type FieldIssue } from '../../../src/domain/errors.ts';
import { ImageRequestBody, maxPromptCodePoints } from '../../../src/domain/image-request.ts';
import { pointerToken } from '../../../src/domain/json-pointer.ts';
import { anyText } from '../../support/arbitrary-job.ts';

const loneSurrogate = 'a\ud800b';
const fox = '🦊';

function issuesOf(fields: Partial<ImageRequestBody>): readonly FieldIssue[] {
  try {
    checkRequestText({ prompt: 'A fox', ...fields });
    return [];
  } catch (error) {
    if (error instanceof AppError && error.code === 'validation_failed') return error.issues;
    throw error;
  }
}
const pointersOf = (fields: Partial<ImageRequestBody>) => issuesOf(fields).map((issue) => issue.pointer);

function nested(depth: number, innermost: unknown): Record<string, unknown> {
  let value = innermost;
  for (let i = 0; i < depth; i++) value = { a: value };
  return { a: value };
}

describe('the text of a request', () => {
  it('accepts text in any script', () => {
    const texts = ['灯塔', 'منارة', 'маяк', '👩‍👩‍👧‍👦', 'é', 'line\nbreak\ttab', '\u{10ffff}'];
    for (const prompt of texts) expect(issuesOf({ prompt, metadata: { [prompt]: prompt } })).toEqual([]);
  });

  it.each([
    ['a lone surrogate', loneSurrogate],
    ['a NUL', 'a\u0000b'],
  ])('rejects text with %s in every field', (_name, text) => {
    expect(pointersOf({ prompt: text })).toEqual(['/prompt']);
    expect(pointersOf({ metadata: { key: text } })).toEqual(['/metadata/key']);
    expect(pointersOf({ metadata: { [text]: 'value' } })).toEqual([`/metadata/${text}`]);
    expect(pointersOf({ preset: text })).toEqual(['/preset']);
    expect(pointersOf({ preset: { name: text } })).toEqual(['/preset/name']);
    expect(pointersOf({ preset: { name: 'a', variables: { key: text } } })).toEqual([
      '/preset/variables/key',
    ]);
    expect(pointersOf({ safety_identifier: text })).toEqual(['/safety_identifier']);
    expect(pointersOf({ model: text })).toEqual(['/model']);
    expect(pointersOf({ webhook: { url: text } })).toEqual(['/webhook/url']);
    expect(pointersOf({ provider_options: { key: [{ deep: text }] } })).toEqual([
      '/provider_options/key/0/deep',
    ]);
  });

  it('rejects a number that JSON cannot represent exactly in every field', () => {
    for (const text of ['12345678901234567890', '-9007199254740992', '9007199254740993', '1e999']) {
      expect(pointersOf({ provider_options: { a: [{ seed: JSON.parse(text) }] } })).toEqual([
        '/provider_options/a/0/seed',
      ]);
    }
    const exact = [0, -1, 0.1, 1e-300, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
    expect(issuesOf({ provider_options: { exact } })).toEqual([]);
  });

  it('lists all invalid fields at once', () => {
    const pointers = pointersOf({
      prompt: loneSurrogate,
      metadata: { a: loneSurrogate, b: 'fine' },
      provider_options: { n: 3 },
    });
    expect(pointers).toEqual(['/prompt', '/metadata/a', '/provider_options/n']);
  });

  it('accepts any well-formed text without NUL and no other', () => {
    fc.assert(
      fc.property(anyText(0, 20), (text) => {
        const passes = issuesOf({ metadata: { key: text } }).length === 0;
        expect(passes).toBe(text.isWellFormed() && !text.includes('\0'));
      }),
    );
  });
});

describe('a prompt', () => {
  it.each(['', ' ', '\n\t\r', '\u3000\u00a0', '\u200b\u2060\ufeff', '\u202e\u202c'])(
    'treats the prompt %j as blank',
    (prompt) => {
      expect(pointersOf({ prompt })).toEqual(['/prompt']);
    },
  );

  it.each(['.', ' a ', '灯', '👩‍👩‍👧‍👦', '\u0301', '\ue000'])(
    'accepts the prompt %j as not blank',
    (prompt) => {
      expect(issuesOf({ prompt })).toEqual([]);
    },
  );
});

describe('the length of a prompt', () => {
  it('counts the length of a prompt in code points, so that an emoji is one', () => {
    expect(issuesOf({ prompt: fox.repeat(maxPromptCodePoints) })).toEqual([]);
    expect(pointersOf({ prompt: fox.repeat(maxPromptCodePoints + 1) })).toEqual(['/prompt']);
  });
});

describe('provider options', () => {
  it.each([
    'n',
    'model',
    'prompt',
    'size',
    'stream',
    'partial_images',
    'response_format',
    'webhook',
    'quality',
  ])('rejects the provider option %s, which Darkroom sets', (name) => {
    expect(pointersOf({ provider_options: { [name]: 1 } })).toEqual([`/provider_options/${name}`]);
  });

  it('accepts any other provider options of up to 8 KiB', () => {
    const space = 8 * 1024 - '{"k":""}'.length;
    expect(
      issuesOf({ provider_options: { style: 'vivid', user: 'u1', seed: 7, list: [null, true, 1.5] } }),
    ).toEqual([]);
    expect(issuesOf({ provider_options: { k: 'x'.repeat(space) } })).toEqual([]);
    expect(pointersOf({ provider_options: { k: 'x'.repeat(space + 1) } })).toEqual(['/provider_options']);
    expect(pointersOf({ provider_options: { k: 'é'.repeat(space / 2 + 1) } })).toEqual(['/provider_options']);
  });

  it('accepts provider options of any depth within their size limit', () => {
    expect(issuesOf({ provider_options: nested(1_300, 'end') })).toEqual([]);
    expect(pointersOf({ provider_options: nested(30, loneSurrogate) })).toEqual([
      `/provider_options${'/a'.repeat(31)}`,
    ]);
  });
});

describe('the schema of a request', () => {
  it('rejects unknown fields at every level', () => {
    for (const extra of [{ promt: 'x' }, { webhook: { url: 'https://a.example', secret: 'x' } }]) {
      expect(ImageRequestBody.safeParse({ prompt: 'A fox', ...extra }).success).toBe(false);
    }
  });

  it.each([
    { n: 0 },
    { n: 11 },
    { n: 1.5 },
    { output_compression: 101 },
    { queue_ttl_s: 0 },
    { run_timeout_s: 7201 },
    { max_cost_micro_usd: -1 },
    { webhook: { url: 'https://a.example', events: [] } },
    { metadata: { '': 'x' } },
    { prompt: '' },
  ])('rejects a request with an invalid value of a field: %j', (fields) => {
    expect(ImageRequestBody.safeParse({ prompt: 'A fox', ...fields }).success).toBe(false);
  });
});

describe('a JSON pointer', () => {
  it('escapes tilde and slash in a JSON pointer', () => {
    expect(pointerToken('a/b~c')).toBe('a~1b~0c');
    expect(pointerToken('~1')).toBe('~01');
  });
});
