import { describe, expect, it } from 'vitest';
import {
  idempotencyKeyFrom,
  matchesEtag,
  preferencesFrom,
  requestIdFrom,
  traceIdOf,
  traceparentFrom,
} from '../../../../src/inbound/http/headers.ts';

describe('Prefer', () => {
  it.each([
    [undefined, 0, null],
    ['', 0, null],
    ['wait=10', 10, 'wait=10'],
    ['wait=0', 0, 'wait=0'],
    ['WAIT=7', 7, 'wait=7'],
    ['wait = 7', 7, 'wait=7'],
    ['wait="7"', 7, 'wait=7'],
    ['wait=55', 55, 'wait=55'],
    ['wait=56', 55, 'wait=55'],
    ['wait=999999999', 55, 'wait=55'],
    ['wait=9999999999', 55, 'wait=55'],
    ['wait=5; foo=bar', 5, 'wait=5'],
    ['wait=5;q', 5, 'wait=5'],
    ['wait="5" ; foo="a, b; c", return=minimal', 5, 'wait=5'],
    ['foo="a, wait=5"', 0, null],
    ['foo="a \\", wait=5"', 0, null],
    ['foo="a, wait=5', 0, null],
    ['wait="5', 0, null],
    ['wait=;5', 0, null],
    ['respond-async; foo=bar', 0, 'respond-async'],
    ['respond-async', 0, 'respond-async'],
    ['Respond-Async', 0, 'respond-async'],
    ['respond-async, wait=10', 10, 'wait=10'],
    ['return=minimal, wait=3', 3, 'wait=3'],
    ['handling=lenient', 0, null],
    ['wait=3, wait=9', 3, 'wait=3'],
    ['wait=-1', 0, null],
    ['wait=1.5', 0, null],
    ['wait=abc', 0, null],
    ['wait=10s', 0, null],
    ['await=10', 0, null],
    ['no-wait=10', 0, null],
    [['return=minimal', 'wait=4'], 4, 'wait=4'],
  ])('reads Prefer %j as a wait of %i s and applies %j', (header, waitSeconds, applied) => {
    const isAsync = /respond-async/i.test(String(header));
    expect(preferencesFrom(header)).toEqual({ waitSeconds, applied, isAsync });
  });

  it('parses a Prefer header of any length', () => {
    expect(preferencesFrom(`wait=${'9'.repeat(16_000)}`).waitSeconds).toBe(55);
    expect(preferencesFrom(`${'"\\'.repeat(8_000)}, wait=5`).waitSeconds).toBe(0);
  });
});

describe('Idempotency-Key', () => {
  it('accepts a request without Idempotency-Key', () => {
    expect(idempotencyKeyFrom(undefined)).toBeUndefined();
  });

  it.each([
    ['bare', 'order-17', 'order-17'],
    ['quoted', '"order-17"', 'order-17'],
    ['with a quote in it', 'a"b', 'a"b'],
    ['one character', 'a', 'a'],
    ['all kinds of visible characters', '!#$%&()*+,-./:;<=>?@[]^_`{|}~', '!#$%&()*+,-./:;<=>?@[]^_`{|}~'],
    ['as long as it may be', 'k'.repeat(255), 'k'.repeat(255)],
    ['as long as it may be, quoted', `"${'k'.repeat(255)}"`, 'k'.repeat(255)],
  ])('accepts the Idempotency-Key %s', (_name, header, key) => {
    expect(idempotencyKeyFrom(header)).toBe(key);
  });

  it.each([
    ['empty', ''],
    ['empty, quoted', '""'],
    ['too long', 'k'.repeat(256)],
    ['too long, quoted', `"${'k'.repeat(256)}"`],
    ['with a space', 'order 17'],
    ['with a space, quoted', '"order 17"'],
    ['with a tab', 'order\t17'],
    ['outside ASCII', 'örder'],
    ['a control character', 'a\u0001b'],
    ['a delete character', 'a\u007fb'],
    ['a lone quote', '"'],
    ['quoted at its begin only', '"order-17'],
    ['quoted at its end only', 'order-17"'],
    ['sent twice', ['a', 'b']],
    ['sent twice and joined', 'a, b'],
  ])('refuses the Idempotency-Key %s', (_name, header) => {
    expect(() => idempotencyKeyFrom(header)).toThrow(
      expect.objectContaining({ code: 'invalid_idempotency_key' }),
    );
  });
});

describe('traceparent', () => {
  const valid = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

  it('passes a valid traceparent on unchanged', () => {
    expect(traceparentFrom(valid)).toBe(valid);
    expect(traceIdOf(valid)).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
    expect(traceIdOf(undefined)).toBeUndefined();
  });

  it.each([
    ['absent', undefined],
    ['empty', ''],
    ['sent twice', [valid, valid]],
    ['with a trace id of zeros', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
    ['with a parent id of zeros', `00-4bf92f3577b34da6a3ce929d0e0e4736-${'0'.repeat(16)}-01`],
    ['in capitals', valid.toUpperCase()],
    ['of version ff', valid.replace(/^00/, 'ff')],
    ['too short', valid.slice(0, -1)],
    ['too long', `${valid}0`],
    ['with a line break', `${valid}\n`],
  ])('ignores the invalid traceparent %s', (_name, header) => {
    expect(traceparentFrom(header)).toBeUndefined();
  });
});

describe('x-request-id', () => {
  it('uses a short and plain x-request-id of the caller', () => {
    expect(requestIdFrom('abc.DEF_1:2-3', 0)).toBe('abc.DEF_1:2-3');
    expect(requestIdFrom('r'.repeat(128), 0)).toBe('r'.repeat(128));
  });

  it.each([undefined, '', 'a b', 'a\nb', '"a"', 'ä', 'r'.repeat(129), ['a', 'b']])(
    'replaces the x-request-id %j with a generated id',
    (header) => {
      expect(requestIdFrom(header, Date.now())).toMatch(/^req_[0-9A-Z]{26}$/);
    },
  );
});

describe('If-None-Match', () => {
  const etag = 'W/"img-7"';

  it.each([
    [etag, true],
    ['"img-7"', true],
    ['*', true],
    [' * ', true],
    ['"other", W/"img-7"', true],
    ['"other" , "img-7" ', true],
    ['"img-77"', false],
    ['"img-7', false],
    ['img-7', false],
    ['w/"img-7"', false],
    ['', false],
    [undefined, false],
  ])('compares If-None-Match %j with the tag: %s', (header, matches) => {
    expect(matchesEtag(header, etag)).toBe(matches);
  });

  it('compares weak and strong tags as equal', () => {
    expect(matchesEtag('W/"a"', '"a"')).toBe(true);
    expect(matchesEtag('"a"', 'W/"a"')).toBe(true);
  });
});
