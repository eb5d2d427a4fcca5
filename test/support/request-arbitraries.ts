import { gzipSync } from 'node:zlib';
import fc, { type Arbitrary } from 'fast-check';
import type { ApiDocument, Node, Operation } from './openapi-document.ts';
import { allowedBy, damaged, textOf } from './schema-arbitraries.ts';

/** Requests made from an OpenAPI document: good ones, ones at the limits, and broken ones of every kind. */

/** Which job a request is about; what it is called is known when the request is sent. */
export type JobChoice =
  | { readonly of: 'kept' | 'recent' | 'link'; readonly nth: number }
  | { readonly text: string };

/** A request as it will be written to a socket. */
export interface RequestPlan {
  readonly method: string;
  /** `{job}` stands for what `job` names. */
  readonly target: string;
  readonly job: JobChoice;
  readonly headers: readonly (readonly [string, string])[];
  /** Bytes of the body, or nothing. */
  readonly body: Buffer | null;
  readonly framing: 'length' | 'chunked' | 'none';
  readonly version: string;
  /** The body is JSON that the schema of the operation allows or does not; nothing for all other bodies. */
  readonly bodyValue: { readonly value: unknown } | null;
  /** It is not proper HTTP: any refusal will do. */
  readonly isBrokenHttp: boolean;
}

/** The keys that a request may carry. */
export interface FuzzKeys {
  readonly good: string;
  readonly other: string;
  readonly readOnly: string;
  readonly admin: string;
}

/** Fields whose values follow the catalogue, not the schema; without hints hardly an order would be accepted. */
const sensibleFields: Record<string, Arbitrary<unknown>> = {
  prompt: fc.oneof(
    textOf(1, 60).filter((text) => text.trim() !== ''),
    fc.constantFrom(
      'A fox',
      'x'.repeat(32_000),
      '🦊'.repeat(1000),
      '[studio:moderation]',
      '[studio:bad-request]',
    ),
  ),
  model: fc.constantFrom('gpt-image-2.6-flare', 'gpt-image-2', 'dall-e-3', 'gpt-image-1', 'unheard-of'),
  n: fc.constantFrom(1, 1, 1, 2, 10),
  size: fc.constantFrom('auto', '1024x1024', '1536x1024', '1024x1536', '1280x720', '100x100', '1025x1024'),
  quality: fc.constantFrom('auto', 'low', 'medium', 'high', 'best'),
  complexity: fc.constantFrom('auto', 'low'),
  background: fc.constantFrom('auto', 'opaque', 'transparent'),
  moderation: fc.constantFrom('auto', 'low'),
  output_format: fc.constantFrom('png', 'jpeg', 'webp', 'gif'),
  preset: fc.constantFrom<unknown>(
    'avatar',
    'artwork',
    { name: 'ad-creative', variables: { mood: 'calm' } },
    'none',
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
  retention: fc.record({ media_s: fc.constantFrom(60, 3600, 315_360_000) }, { requiredKeys: [] }),
  max_cost_micro_usd: fc.constantFrom(0, 1, 10_000_000),
  run_timeout_s: fc.constantFrom(60, 7200),
  queue_ttl_s: fc.constantFrom(60, 86_400),
};

/** Requests to every operation of a document, and to what it does not hold. */
export function requestPlans(api: ApiDocument, keys: FuzzKeys): Arbitrary<RequestPlan> {
  const weights: Record<string, number> = {
    submitImage: 30,
    getImage: 14,
    listImages: 12,
    getImageContent: 8,
  };
  const toOperations = fc.oneof(
    ...api.operations.map((operation) => ({
      arbitrary: toOperation(api, operation, keys),
      weight: weights[operation.id] ?? (operation.path.includes('{') ? 6 : 2),
    })),
  );
  const paths = api.operations.map(({ path }) => path.replace(/\{\w+\}/, '{job}').replace('{index}', '0'));
  return fc.oneof(
    { arbitrary: toOperations, weight: 85 },
    { arbitrary: otherMethod(paths, keys), weight: 6 },
    { arbitrary: unknownPath(keys), weight: 5 },
    { arbitrary: brokenHttp(toOperations), weight: 4 },
  );
}

function toOperation(api: ApiDocument, operation: Operation, keys: FuzzKeys): Arbitrary<RequestPlan> {
  return fc
    .record({
      query: queryOf(api, operation),
      index: fc.constantFrom('0', '0', '0', '1', '9', '10', '-1', 'x', '1e0', '%30', '99999999999999999999'),
      job: jobChoice(operation.path.includes('{key}')),
      headers: headersFor(operation, keys),
      body: operation.bodySchema
        ? jsonBody(api, operation, operation.bodySchema)
        : fc.oneof({ arbitrary: fc.constant(noBody), weight: 8 }, { arbitrary: anyBody, weight: 1 }),
      contentType: contentType(operation.bodySchema !== undefined),
      framing: fc.constantFrom('length' as const, 'length' as const, 'chunked' as const),
    })
    .map(({ query, index, job, headers, body, contentType: type, framing }) => ({
      method: operation.method,
      target: operation.path.replace('{index}', index).replace(/\{(id|key)\}/, '{job}') + query,
      job,
      headers: [
        ...headers,
        ...(type === null || body.bytes === null ? [] : [['content-type', type] as const]),
        ...body.headers,
      ],
      body: body.bytes,
      framing: body.bytes === null ? ('none' as const) : framing,
      version: 'HTTP/1.1',
      bodyValue:
        body.headers.length === 0 && type?.toLowerCase().startsWith('application/json') ? body.value : null,
      isBrokenHttp: false,
    }));
}

interface Body {
  readonly bytes: Buffer | null;
  readonly value: { readonly value: unknown } | null;
  readonly headers: readonly (readonly [string, string])[];
}

const noBody: Body = { bytes: null, value: null, headers: [] };
const bytesOf = (bytes: Buffer | string): Body => ({ bytes: Buffer.from(bytes), value: null, headers: [] });
const jsonOf = (value: unknown): Body => {
  const text = JSON.stringify(value) ?? 'null';
  return { bytes: Buffer.from(text), value: { value: JSON.parse(text) }, headers: [] };
};

/** Bodies that no operation takes. */
const anyBody: Arbitrary<Body> = fc.oneof(
  fc.constantFrom(
    ...['', ' ', 'null', '[]', '0', '"text"', '{', '{"a":1}x', "{'a':1}", 'NaN', '{"a":1,}', '\ufeff{}'].map(
      bytesOf,
    ),
  ),
  fc.constantFrom(
    ...[
      '{"__proto__":{"x":1},"prompt":"a"}',
      '{"constructor":{"prototype":{}},"prompt":"a"}',
      '{"prompt":"a","prompt":"b"}',
    ].map(bytesOf),
    ...[
      '{"prompt":"a","n":1e999}',
      '{"prompt":"a","n":1.0}',
      '{"prompt":"\\ud800"}',
      '{"prompt":"a\\u0000"}',
    ].map(bytesOf),
  ),
  fc.constantFrom(31, 32, 33, 5_000, 100_000).map((depth) => bytesOf('['.repeat(depth) + ']'.repeat(depth))),
  fc
    .constantFrom(1, 255 * 1024, 257 * 1024, 600 * 1024)
    .map((size) => bytesOf(`{"prompt":"${'z'.repeat(size)}"}`)),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => bytesOf(Buffer.from(bytes))),
  fc
    .constantFrom(Buffer.from('{"prompt":"é"}', 'latin1'), Buffer.from('{"prompt":"a"}', 'utf16le'))
    .map(bytesOf),
  fc.constant({
    bytes: gzipSync('{"prompt":"packed"}'),
    value: null,
    headers: [['content-encoding', 'gzip'] as const],
  }),
);

function jsonBody(api: ApiDocument, operation: Operation, schema: Node): Arbitrary<Body> {
  const examples = fc.constantFrom(...Object.values(operation.bodyExamples));
  const fields = Object.keys(
    ((schema.$ref ? api.resolve(String(schema.$ref)) : schema).properties ?? {}) as Node,
  );
  const sensible = fc.record(
    Object.fromEntries(Object.entries(sensibleFields).filter(([name]) => fields.includes(name))),
    { requiredKeys: ['prompt'], noNullPrototype: true },
  );
  const few = fc
    .tuple(sensible, fc.shuffledSubarray(fields, { maxLength: 3 }))
    .map(([body, kept]) =>
      Object.fromEntries(Object.entries(body).filter(([name]) => name === 'prompt' || kept.includes(name))),
    );
  const allowed = allowedBy(schema, api.resolve);
  return fc.oneof(
    { arbitrary: fc.oneof(examples, few).map(jsonOf), weight: 5 },
    { arbitrary: allowed.map(jsonOf), weight: 3 },
    { arbitrary: damaged(fc.oneof(few, allowed, examples)).map(jsonOf), weight: 6 },
    { arbitrary: anyBody, weight: 2 },
    { arbitrary: fc.constant(noBody), weight: 1 },
  );
}

function contentType(hasBody: boolean): Arbitrary<string | null> {
  return fc.oneof(
    {
      arbitrary: fc.constantFrom('application/json', 'application/json; charset=utf-8'),
      weight: hasBody ? 18 : 3,
    },
    {
      arbitrary: fc.constantFrom(
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
      ),
      weight: 2,
    },
  );
}

const jobText: Arbitrary<JobChoice> = fc
  .oneof(
    fc.constantFrom(
      'img_01KAR3S9Z8QJ4V5W6X7Y8Z9A0B',
      'img_',
      'x',
      '.',
      '..',
      '%2e%2e',
      '..%2f..',
      '%',
      '%zz',
      '%00',
      '%ff',
    ),
    fc.constantFrom(
      'a%20b',
      'a+b',
      '%F0%9F%A6%8A',
      '\xf0\x9f\xa6\x8a',
      "'--",
      '{id}',
      '%7Bid%7D',
      ':id',
      '*',
      'a;b',
      'a&b',
    ),
    fc.constantFrom(64, 65, 512, 513, 4000).map((length) => 'i'.repeat(length)),
    textOf(1, 20).map(encodeURIComponent),
  )
  .map((text) => ({ text }));

function jobChoice(isLink: boolean): Arbitrary<JobChoice> {
  if (isLink) {
    return fc.oneof(
      { arbitrary: fc.nat(3).map((nth) => ({ of: 'link' as const, nth })), weight: 2 },
      { arbitrary: jobText, weight: 1 },
    );
  }
  const of = fc.constantFrom('kept' as const, 'recent' as const, 'recent' as const);
  return fc.oneof(
    { arbitrary: fc.record({ of, nth: fc.nat(40) }), weight: 4 },
    { arbitrary: jobText, weight: 1 },
  );
}

function queryOf(api: ApiDocument, operation: Operation): Arbitrary<string> {
  const parameters = operation.parameters.filter((parameter) => parameter.in === 'query');
  const garbage = fc.constantFrom(
    '?',
    '?=',
    '?&&',
    '?a',
    '?%',
    '?%zz=%',
    '?limit',
    '?wait=2&wait=3',
    '?\xff=\xfe',
    '?a[]=1',
    '?a[b][c]=d',
  );
  if (parameters.length === 0) {
    return fc.oneof({ arbitrary: fc.constant(''), weight: 9 }, { arbitrary: garbage, weight: 1 });
  }
  const pair = fc.oneof(...parameters.map((parameter) => queryPair(api, parameter)));
  const pairs = fc
    .array(pair, { maxLength: 3 })
    .map((list) => (list.length === 0 ? '' : `?${list.join('&')}`));
  return fc.oneof({ arbitrary: pairs, weight: 12 }, { arbitrary: garbage, weight: 1 });
}

function queryPair(api: ApiDocument, parameter: Node): Arbitrary<string> {
  const name = String(parameter.name);
  const schema = parameter.schema as Node;
  const encode = (value: unknown) => encodeURIComponent(String(value).toWellFormed());
  const odd = fc.constantFrom(
    '',
    ' ',
    '-1',
    '1e1',
    'true',
    '%00',
    '%F0%9F%A6%8A',
    '%zz',
    'a'.repeat(3000),
    '[]',
    'null',
    '0x10',
    '1.5',
  );
  if (schema.type === 'object') {
    const key = fc.oneof(textOf(1, 10), fc.constantFrom('order', 'user', '', 'k'.repeat(64), 'k'.repeat(65)));
    return fc.tuple(key, textOf(0, 10)).map(([k, v]) => `${name}[${encode(k)}]=${encode(v)}`);
  }
  // A long wait would only make the run longer; the limits of waiting are tested elsewhere.
  const good = name === 'wait' ? fc.constantFrom(0, 1) : allowedBy(schema, api.resolve);
  return fc.oneof(
    { arbitrary: good.map((value) => `${name}=${encode(value)}`), weight: 4 },
    { arbitrary: odd.map((text) => `${name}=${text}`), weight: 1 },
  );
}

type Header = readonly [string, string];

function authorization(keys: FuzzKeys): Arbitrary<Header[]> {
  const one = (value: string): Header[] => [['authorization', value]];
  return fc.oneof(
    { arbitrary: fc.constant(one(`Bearer ${keys.good}`)), weight: 40 },
    {
      arbitrary: fc.constantFrom<Header[]>(
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
      ),
      weight: 5,
    },
  );
}

/** Request headers with good, odd and broken values. */
const oddHeaders: Arbitrary<Header> = fc.oneof(
  value(
    'idempotency-key',
    'order-1',
    '"order-2"',
    '""',
    '',
    'a b',
    'k'.repeat(255),
    'k'.repeat(256),
    '\xe9',
    '"',
  ),
  value(
    'prefer',
    'wait=1',
    'respond-async',
    'wait=0, respond-async',
    'wait=-1',
    'wait="1"',
    'wait',
    ';;;',
    'wait=x',
    'foo=bar',
  ),
  value('last-event-id', '0', '1', '3', '99999', '-1', 'NaN', '1e9', '\xff', 'i'.repeat(400)),
  value('if-none-match', '*', 'W/"1"', 'W/"5"', '"x"', '', ',,,', '"', 'W/', '\xff'),
  value('x-request-id', 'mine-1', '', 'a b', 'r'.repeat(200), '\xff', '"quoted"'),
  value('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '00-0-0-0', '\xff'),
  value('accept', '*/*', 'text/html', 'application/xml;q=1', ';;'),
  value('accept-encoding', 'gzip', 'identity;q=0', 'br'),
  value('origin', 'https://example.com', 'null'),
  value('range', 'bytes=0-10', 'bytes=9-1', 'x'),
  value('x-forwarded-for', '10.0.0.1', '::1', 'x, y'),
  value('x-forwarded-host', 'evil.example', '"><script>'),
  value('expect', '100-continue', 'something'),
  value('x-http-method-override', 'DELETE'),
  value('cookie', 'a=b', '__proto__=1'),
  value('x-filler', 'f'.repeat(4_000)),
);

function value(name: string, ...values: string[]): Arbitrary<Header> {
  return fc.constantFrom(...values).map((each) => [name, each] as const);
}

function headersFor(operation: Operation, keys: FuzzKeys): Arbitrary<Header[]> {
  const extra = fc.oneof(
    { arbitrary: fc.constant<Header[]>([]), weight: 3 },
    { arbitrary: fc.array(oddHeaders, { maxLength: 3 }), weight: 2 },
  );
  const auth = operation.secured ? authorization(keys) : fc.constant<Header[]>([]);
  return fc.tuple(auth, extra).map(([first, more]) => [...first, ...more]);
}

const plain = {
  job: { text: 'x' } as JobChoice,
  body: null,
  framing: 'none',
  version: 'HTTP/1.1',
  bodyValue: null,
  isBrokenHttp: false,
} as const;

function otherMethod(paths: readonly string[], keys: FuzzKeys): Arbitrary<RequestPlan> {
  return fc
    .record({
      method: fc.constantFrom(
        'GET',
        'HEAD',
        'POST',
        'PUT',
        'PATCH',
        'DELETE',
        'OPTIONS',
        'TRACE',
        'PROPFIND',
        'LINK',
        'PURGE',
      ),
      target: fc.constantFrom(...paths),
      job: jobChoice(false),
      headers: authorization(keys),
    })
    .map((each) => ({ ...plain, ...each }));
}

function unknownPath(keys: FuzzKeys): Arbitrary<RequestPlan> {
  const paths = fc.constantFrom(
    '/',
    '//',
    '/images/',
    '//images',
    '/Images',
    '/images//cancel',
    '/images/../livez',
    '/images/%2e%2e/livez',
    '/%',
    '/%zz',
    '/%00',
    '/\xff',
    '/.env',
    '/images/x/y/z',
    '/files',
    '/files/',
    '/files//',
    '/files/../../etc/passwd',
    '/files/%2e%2e/x',
    '/docs/',
    '/docs/..%2f..%2fpackage.json',
    '/docs/static/nothing.js',
    '/docs/json',
    '/docs/yaml',
    '/docs/static/',
    '/openapi.json',
    '/openapi.yaml',
    '/docs',
    '*',
    'http://example.com/images',
    '/?x',
    '/images/x/content/',
    '/__proto__',
  );
  return fc
    .record({
      method: fc.constantFrom('GET', 'GET', 'POST', 'DELETE', 'OPTIONS', 'HEAD'),
      target: fc.oneof(
        { arbitrary: paths, weight: 4 },
        { arbitrary: textOf(1, 20).map((text) => `/${encodeURI(text)}`), weight: 1 },
      ),
      headers: authorization(keys),
    })
    .map((each) => ({ ...plain, ...each }));
}

/** Requests that are no HTTP any more, made from ones that are. */
function brokenHttp(plans: Arbitrary<RequestPlan>): Arbitrary<RequestPlan> {
  const damage = fc.constantFrom<(plan: RequestPlan) => RequestPlan>(
    (plan) => ({ ...plan, method: 'FROBNICATE' }),
    (plan) => ({ ...plan, method: 'CONNECT' }),
    (plan) => ({ ...plan, method: plan.method.toLowerCase() }),
    (plan) => ({ ...plan, version: 'HTTP/9.9' }),
    (plan) => ({ ...plan, version: 'HTTX' }),
    (plan) => ({ ...plan, target: `/a b/${plan.target}` }),
    (plan) => ({ ...plan, headers: [...plan.headers, ['bad name', 'x']] }),
    (plan) => ({ ...plan, headers: [...plan.headers, ['x-control', 'a\u0001\u0000b']] }),
    (plan) => ({ ...plan, headers: [...plan.headers, ['content-length', '-5']] }),
    (plan) => ({ ...plan, headers: [...plan.headers, ['content-length', '1'], ['content-length', '2']] }),
    (plan) => ({
      ...plan,
      headers: [...plan.headers, ['transfer-encoding', 'chunked, gzip'], ['content-length', '3']],
    }),
    (plan) => ({ ...plan, headers: [...plan.headers, ['x-big', 'b'.repeat(17 * 1024)]] }),
    (plan) => ({ ...plan, headers: [...plan.headers, ['x-folded', 'a\r\n b']] }),
    (plan) => ({ ...plan, headers: [['host', ''], ...plan.headers] }),
    (plan) => ({ ...plan, headers: [['host', 'a'], ['host', 'b'], ...plan.headers] }),
    (plan) => ({ ...plan, headers: [['no-host', ''], ...plan.headers] }),
    (plan) => ({ ...plan, target: `${plan.target}?q=${'u'.repeat(20_000)}` }),
  );
  return fc
    .tuple(plans, damage)
    .map(([plan, hurt]) => ({ ...hurt(plan), bodyValue: null, isBrokenHttp: true }));
}

/** The bytes of a request; the connection is closed after the answer. */
export function bytesOfPlan(plan: RequestPlan, jobText: string): Buffer {
  const lines = [
    `${plan.method} ${plan.target.replaceAll('{job}', jobText)} ${plan.version}`,
    'connection: close',
  ];
  if (!plan.headers.some(([name]) => name === 'host' || name === 'no-host')) lines.push('host: 127.0.0.1');
  lines.push(...plan.headers.map(([name, value]) => `${name}: ${value}`));
  const body = plan.body ?? Buffer.alloc(0);
  if (plan.framing === 'length') lines.push(`content-length: ${body.length}`);
  if (plan.framing === 'chunked') lines.push('transfer-encoding: chunked');
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  if (plan.framing !== 'chunked') return Buffer.concat([head, body]);
  const chunk = body.length === 0 ? '' : `${body.length.toString(16)}\r\n`;
  return Buffer.concat([
    head,
    Buffer.from(chunk),
    body,
    Buffer.from(body.length === 0 ? '0\r\n\r\n' : '\r\n0\r\n\r\n'),
  ]);
}
