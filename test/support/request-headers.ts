import fc, { type Arbitrary } from 'fast-check';
import type { FuzzKeys, Header } from './request-plan.ts';

/** Generates mostly the key with all scopes, sometimes another key, an invalid one or none. */
export function authorization(keys: FuzzKeys): Arbitrary<Header[]> {
  const one = (value: string): Header[] => [['authorization', value]];
  const odd = fc.constantFrom<Header[]>(
    [],
    one(`Bearer ${keys.other}`),
    one(`Bearer ${keys.readOnly}`),
    one(`Bearer ${keys.admin}`),
    one(`bearer   ${keys.good}  `),
    one(`Bearer ${keys.good}x`),
    one(`Basic ${Buffer.from('a:b').toString('base64')}`),
    one('Bearer'),
    one('Bearer \xff\xfe'),
    one(`Bearer ${'k'.repeat(600)}`),
    one(keys.good),
    [...one('Bearer wrong'), ...one(`Bearer ${keys.good}`)],
  );
  return fc.oneof(
    { arbitrary: fc.constant(one(`Bearer ${keys.good}`)), weight: 8 },
    { arbitrary: odd, weight: 1 },
  );
}

/** Generates up to three more headers with valid, unusual and invalid values. */
export const otherHeaders: Arbitrary<Header[]> = fc.oneof(
  { arbitrary: fc.constant<Header[]>([]), weight: 3 },
  { arbitrary: fc.array(oddHeader(), { minLength: 1, maxLength: 3 }), weight: 2 },
);

function oddHeader(): Arbitrary<Header> {
  return fc.oneof(
    one(
      'idempotency-key',
      'request-1',
      '"request-2"',
      '""',
      '',
      'a b',
      'k'.repeat(255),
      'k'.repeat(256),
      '\xe9',
      '"',
    ),
    one(
      'prefer',
      'wait=1',
      'respond-async',
      'wait=0, respond-async',
      'wait=-1',
      'wait="1"',
      'wait',
      ';;;',
      'foo=bar',
    ),
    one('last-event-id', '0', '1', '3', '99999', '-1', 'NaN', '1e9', '\xff', 'i'.repeat(400)),
    one('if-none-match', '*', 'W/"1"', 'W/"5"', '"x"', '', ',,,', '"', 'W/', '\xff'),
    one('x-request-id', 'mine-1', '', 'a b', 'r'.repeat(200), '\xff', '"quoted"'),
    one('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '00-0-0-0', '\xff'),
    one('accept', '*/*', 'text/html', 'application/xml;q=1', ';;'),
    one('accept-encoding', 'gzip', 'identity;q=0', 'br'),
    one('origin', 'https://example.com', 'null'),
    one('access-control-request-method', 'POST'),
    one('range', 'bytes=0-10', 'bytes=9-1', 'x'),
    one('x-forwarded-for', '10.0.0.1', '::1', 'x, y'),
    one('x-forwarded-host', 'elsewhere.example', '"><script>'),
    one('expect', '100-continue', 'something'),
    one('x-http-method-override', 'DELETE'),
    one('upgrade', 'websocket', 'h2c'),
    one('cookie', 'a=b', '__proto__=1'),
    one('x-filler', 'f'.repeat(4_000)),
  );
}

function one(name: string, ...values: string[]): Arbitrary<Header> {
  return fc.constantFrom(...values).map((value) => [name, value] as const);
}
