import fc, { type Arbitrary } from 'fast-check';
import { brokenHttp } from './broken-http.ts';
import type { ApiDocument, Node, Operation } from './openapi-document.ts';
import { bodyFor, contentTypeFor } from './request-bodies.ts';
import { authorization, otherHeaders } from './request-headers.ts';
import { barePlan, type FuzzKeys, type JobChoice, type RequestPlan } from './request-plan.ts';
import { allowedBy, textOf } from './schema-arbitraries.ts';

const weights: Record<string, number> = {
  submitJob: 30,
  getJob: 14,
  listJobs: 12,
  getImageContent: 8,
};

/** Generates requests from an OpenAPI document: valid ones, ones at the limits, and invalid ones of every kind. */
export function requestPlans(api: ApiDocument, keys: FuzzKeys): Arbitrary<RequestPlan> {
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

const indexTexts = ['0', '0', '0', '1', '9', '10', '-1', 'x', '1e0', '%30', '99999999999999999999'];

function toOperation(api: ApiDocument, operation: Operation, keys: FuzzKeys): Arbitrary<RequestPlan> {
  const isLink = operation.path.includes('{key}');
  const query = queryFor(api, operation);
  return fc
    .record({
      // A link contains its own query.
      query: isLink ? fc.oneof({ arbitrary: fc.constant(''), weight: 4 }, query) : query,
      index: fc.constantFrom(...indexTexts),
      job: jobChoice(kindOf(operation)),
      key: operation.secured ? authorization(keys) : fc.constant([]),
      otherHeaders,
      body: bodyFor(api, operation),
      contentType: contentTypeFor(operation),
      framing: fc.constantFrom('length' as const, 'length' as const, 'chunked' as const),
    })
    .map(({ body, contentType, ...plan }) => {
      const hasType = contentType !== null && body.bytes !== null;
      const isJson = hasType && contentType.startsWith('application/json') && body.headers.length === 0;
      return {
        ...barePlan,
        method: operation.method,
        target: operation.path.replace('{index}', plan.index).replace(/\{(id|key)\}/, '{job}') + plan.query,
        job: plan.job,
        headers: [
          ...plan.key,
          ...plan.otherHeaders,
          ...(hasType ? [['content-type', contentType] as const] : []),
          ...body.headers,
        ],
        body: body.bytes,
        framing: body.bytes === null ? 'none' : plan.framing,
        bodyValue: isJson ? body.value : null,
      };
    });
}

const strangeIds = [
  'img_01KAR3S9Z8QJ4V5W6X7Y8Z9A0B',
  ...['img_', 'x', '.', '..', '%2e%2e', '..%2f..', '%', '%zz', '%00', '%ff', 'a%20b', 'a+b'],
  ...['%F0%9F%A6%8A', '\xf0\x9f\xa6\x8a', "'--", '{id}', '%7Bid%7D', ':id', '*', 'a;b', 'a&b'],
  ...[64, 65, 512, 513, 4000].map((length) => 'i'.repeat(length)),
];

/** Returns the kind of resource that the id in the path of an operation identifies. */
function kindOf({ path }: Operation): 'job' | 'link' | 'endpoint' | 'delivery' {
  if (path.includes('{key}')) return 'link';
  if (path.startsWith('/webhooks/endpoints/')) return 'endpoint';
  return path.startsWith('/webhooks/deliveries/') ? 'delivery' : 'job';
}

function jobChoice(kind: ReturnType<typeof kindOf>): Arbitrary<JobChoice> {
  const strange = fc
    .oneof({ arbitrary: fc.constantFrom(...strangeIds), weight: 4 }, textOf(1, 20).map(encodeURIComponent))
    .map((text) => ({ text }));
  const of =
    kind === 'job' ? fc.constantFrom<'kept' | 'recent'>('kept', 'recent', 'recent') : fc.constant(kind);
  return fc.oneof(
    { arbitrary: fc.record({ of, nth: fc.nat(40) }), weight: 4 },
    { arbitrary: strange, weight: 1 },
  );
}

const strangeQueries = [
  '?',
  '?=',
  '?&&',
  '?a',
  '?%',
  '?%zz=%',
  '?limit',
  '?\xff=\xfe',
  '?a[]=1',
  '?a[b][c]=d',
];

function queryFor(api: ApiDocument, operation: Operation): Arbitrary<string> {
  const strange = { arbitrary: fc.constantFrom(...strangeQueries), weight: 1 };
  const parameters = operation.parameters.filter((parameter) => parameter.in === 'query');
  if (parameters.length === 0) return fc.oneof({ arbitrary: fc.constant(''), weight: 12 }, strange);
  const pair = (parameter: Node) => queryPair(api, parameter);
  const once = fc
    .subarray(parameters, { maxLength: Math.min(3, parameters.length) })
    .chain((chosen) => fc.tuple(...chosen.map(pair)));
  const twice = fc.constantFrom(...parameters).chain((chosen) => fc.tuple(pair(chosen), pair(chosen)));
  const asQuery = (pairs: readonly string[]) => (pairs.length === 0 ? '' : `?${pairs.join('&')}`);
  return fc.oneof(
    { arbitrary: once.map(asQuery), weight: 12 },
    { arbitrary: twice.map(asQuery), weight: 1 },
    strange,
  );
}

// No value is a long wait, because a wait only makes the run longer.
const strangeValues = [
  '',
  ' ',
  '-1',
  '1e0',
  'true',
  '%00',
  '%F0%9F%A6%8A',
  '%zz',
  '[]',
  'null',
  '0x1',
  '1.5',
];

function queryPair(api: ApiDocument, parameter: Node): Arbitrary<string> {
  const name = String(parameter.name);
  const schema = parameter.schema as Node;
  const encode = (value: unknown) => encodeURIComponent(String(value).toWellFormed());
  if (schema.type === 'object') {
    const key = fc.oneof(textOf(1, 10), fc.constantFrom('order', 'user', '', 'k'.repeat(64), 'k'.repeat(65)));
    return fc.tuple(key, textOf(0, 10)).map(([k, v]) => `${name}[${encode(k)}]=${encode(v)}`);
  }
  const good = name === 'wait' ? fc.constantFrom(0, 1) : allowedBy(schema, api.resolve);
  const odd = fc.constantFrom(...strangeValues, 'a'.repeat(3000));
  return fc.oneof(
    { arbitrary: good.map((value) => `${name}=${encode(value)}`), weight: 6 },
    { arbitrary: odd.map((text) => `${name}=${text}`), weight: 1 },
  );
}

const methods = [
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
];

function otherMethod(paths: readonly string[], keys: FuzzKeys): Arbitrary<RequestPlan> {
  return fc
    .record({
      method: fc.constantFrom(...methods),
      target: fc.constantFrom(...paths),
      job: jobChoice('job'),
      headers: authorization(keys),
    })
    .map((plan) => ({ ...barePlan, ...plan }));
}

const strangePaths = [
  ...[
    '/',
    '//',
    '/images/',
    '//images',
    '/Images',
    '/images//cancel',
    '/images/../livez',
    '/images/%2e%2e/livez',
  ],
  ...[
    '/%',
    '/%zz',
    '/%00',
    '/\xff',
    '/.env',
    '/images/x/y/z',
    '/images/x/content/',
    '/__proto__',
    '/?x',
    '*',
  ],
  ...[
    '/files',
    '/files/',
    '/files//',
    '/files/../../etc/passwd',
    '/files/%2e%2e/x',
    'http://example.com/images',
  ],
  ...[
    '/docs',
    '/docs/',
    '/docs/..%2f..%2fpackage.json',
    '/docs/api',
    '/docs/errors',
    '/docs/site/nothing.js',
    '/docs/api/static/',
    '/docs/api/json',
  ],
  ...['/docs/api/yaml', '/openapi.json', '/openapi.yaml'],
];

function unknownPath(keys: FuzzKeys): Arbitrary<RequestPlan> {
  const spelled = textOf(1, 20).map((text) => `/${encodeURI(text)}`);
  return fc
    .record({
      method: fc.constantFrom('GET', 'GET', 'POST', 'DELETE', 'OPTIONS', 'HEAD'),
      target: fc.oneof({ arbitrary: fc.constantFrom(...strangePaths), weight: 4 }, spelled),
      headers: authorization(keys),
    })
    .map((plan) => ({ ...barePlan, ...plan }));
}
