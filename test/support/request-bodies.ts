import { gzipSync } from 'node:zlib';
import fc, { type Arbitrary } from 'fast-check';
import type { ApiDocument, Node, Operation } from './openapi-document.ts';
import type { Header } from './request-plan.ts';
import { allowedBy, damaged, textOf } from './schema-arbitraries.ts';

export interface Body {
  readonly bytes: Buffer | null;
  readonly value: { readonly value: unknown } | null;
  readonly headers: readonly Header[];
}

/** Fields whose values depend on the catalogue. With values of the schema alone hardly a request would be accepted. */
const sensibleFields: Record<string, Arbitrary<unknown>> = {
  prompt: fc.oneof(
    textOf(1, 60).filter((text) => text.trim() !== ''),
    fc.constantFrom('A fox', 'x'.repeat(32_000), '🦊'.repeat(1000)),
    fc.constantFrom('[studio:moderation]', '[studio:bad-request]', '[studio:empty]'),
  ),
  model: fc.constantFrom('gpt-image-2.6-flare', 'gpt-image-2', 'dall-e-3', 'gpt-image-1', 'unheard-of'),
  n: fc.constantFrom(1, 1, 1, 2, 10),
  size: fc.constantFrom('auto', '1024x1024', '1536x1024', '1280x720', '100x100', '1025x1024'),
  quality: fc.constantFrom('auto', 'low', 'medium', 'high', 'best'),
  complexity: fc.constantFrom('auto', 'low'),
  background: fc.constantFrom('auto', 'opaque', 'transparent'),
  moderation: fc.constantFrom('auto', 'low'),
  output_format: fc.constantFrom('png', 'jpeg', 'webp', 'gif'),
  preset: fc.constantFrom<unknown>(
    'avatar',
    'artwork',
    { name: 'avatar', variables: { style: 'ink' } },
    'no',
  ),
  webhook: fc.record({
    url: fc.constantFrom(
      'https://hooks.example.com/a',
      'https://example.com:8443/',
      'http://127.0.0.1/',
      'https://[::1]/',
      'http://169.254.169.254/latest',
      'https://user:secret@example.com/',
      'ftp://example.com',
      'https://example.com:22/',
      'not an address',
    ),
  }),
  // Reserved names, so that nothing is ever sent.
  url: fc.constantFrom(
    'https://receiver.invalid/hooks',
    'https://127.0.0.1/',
    'https://receiver.invalid:22/',
    'x',
  ),
  events: fc.constantFrom(['*'], ['image.succeeded', 'image.*'], ['image.done'], []),
  disabled: fc.boolean(),
  since: fc.constantFrom('2026-11-24T12:00:00Z', '2026-11-24T12:00:00+01:00', 'yesterday'),
  retention: fc.record({ media_s: fc.constantFrom(60, 3600, 315_360_000) }, { requiredKeys: [] }),
  max_cost_micro_usd: fc.constantFrom(0, 1, 10_000_000),
  run_timeout_s: fc.constantFrom(60, 7200),
  queue_ttl_s: fc.constantFrom(60, 86_400),
};

const noBody: Body = { bytes: null, value: null, headers: [] };
const bytesOf = (bytes: Buffer | string): Body => ({ bytes: Buffer.from(bytes), value: null, headers: [] });
const jsonOf = (value: unknown): Body => {
  const text = JSON.stringify(value) ?? 'null';
  return { bytes: Buffer.from(text), value: { value: JSON.parse(text) }, headers: [] };
};

const strangeTexts = [
  ...['', ' ', 'null', '[]', '0', '"text"', '{', '{"a":1}x', "{'a':1}", 'NaN', '{"a":1,}', '\ufeff{}'],
  '{"__proto__":{"x":1},"prompt":"a"}',
  '{"constructor":{"prototype":{}},"prompt":"a"}',
  '{"prompt":"a","prompt":"b"}',
  '{"prompt":"a","n":1e999}',
  '{"prompt":"a","n":1.0}',
  '{"prompt":"\\ud800"}',
  '{"prompt":"a\\u0000"}',
];

const packed: Body = {
  bytes: gzipSync('{"prompt":"packed"}'),
  value: null,
  headers: [['content-encoding', 'gzip']],
};

/** Generates bodies without a schema: invalid JSON, invalid UTF-8, too deep, too large, compressed. */
const strangeBody: Arbitrary<Body> = fc.oneof(
  { arbitrary: fc.constantFrom(...strangeTexts.map(bytesOf)), weight: 6 },
  fc.constantFrom(31, 32, 33, 5_000, 100_000).map((depth) => bytesOf('['.repeat(depth) + ']'.repeat(depth))),
  fc.constantFrom(1, 255, 257, 600).map((kb) => bytesOf(`{"prompt":"${'z'.repeat(kb * 1024)}"}`)),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => bytesOf(Buffer.from(bytes))),
  fc
    .constantFrom(Buffer.from('{"prompt":"é"}', 'latin1'), Buffer.from('{"prompt":"a"}', 'utf16le'))
    .map(bytesOf),
  fc.constant(packed),
);

/** Generates bodies for an operation: mostly from its schema, or mostly none if it has no schema. */
export function bodyFor(api: ApiDocument, operation: Operation): Arbitrary<Body> {
  const schema = operation.bodySchema;
  const none = { arbitrary: fc.constant(noBody), weight: schema ? 1 : 16 };
  const strange = { arbitrary: strangeBody, weight: 2 };
  if (!schema) {
    // The service does not read the body of a GET. Closing with many unread bytes resets the connection and the response.
    const fits = ({ bytes }: Body) => operation.method !== 'GET' || (bytes?.length ?? 0) < 10_000;
    return fc.oneof(none, { ...strange, arbitrary: strangeBody.filter(fits) });
  }
  const shown = Object.values(operation.bodyExamples);
  const examples = shown.length > 0 ? fc.constantFrom(...shown) : allowedBy(schema, api.resolve);
  const sensible = sensibleBody(api, schema);
  const allowed = allowedBy(schema, api.resolve);
  return fc.oneof(
    { arbitrary: fc.oneof({ arbitrary: sensible, weight: 4 }, examples).map(jsonOf), weight: 6 },
    { arbitrary: allowed.map(jsonOf), weight: 3 },
    { arbitrary: damaged(fc.oneof(sensible, allowed, examples)).map(jsonOf), weight: 6 },
    strange,
    none,
  );
}

function sensibleBody(api: ApiDocument, schema: Node): Arbitrary<unknown> {
  const { properties = {} } = typeof schema.$ref === 'string' ? api.resolve(schema.$ref) : schema;
  const fields = Object.keys(sensibleFields).filter((name) => Object.hasOwn(properties as Node, name));
  const full = fc.record(
    Object.fromEntries(fields.map((name) => [name, sensibleFields[name] ?? fc.anything()])),
    {
      noNullPrototype: true,
    },
  );
  return fc
    .tuple(full, fc.subarray(fields, { maxLength: Math.min(3, fields.length) }))
    .map(([body, kept]) =>
      Object.fromEntries(Object.entries(body).filter(([name]) => name === 'prompt' || kept.includes(name))),
    );
}

/** Generates content types of a request with a body, `null` for none. */
export function contentTypeFor(operation: Operation): Arbitrary<string | null> {
  const good = fc.constantFrom('application/json', 'application/json; charset=utf-8');
  const odd = fc.constantFrom(
    null,
    '',
    'text/plain',
    'application/json;;;',
    'APPLICATION/JSON',
    'application/json; charset=utf-16',
    'application/problem+json',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'image/png',
    'json',
    '\xff\xfe',
  );
  return fc.oneof({ arbitrary: good, weight: operation.bodySchema ? 18 : 3 }, { arbitrary: odd, weight: 2 });
}
