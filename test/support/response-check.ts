import { errorCodes, errorRow } from '../../src/domain/errors.ts';
import type { ApiDocument, Node, Operation } from './openapi-document.ts';
import type { RawResponse } from './raw-http.ts';

/** Statuses for invalid HTTP. No operation documents them, because the request reaches none. */
const httpRefusals = new Set([400, 404, 405, 408, 413, 414, 415, 417, 431]);

/** The facts about a request that the check of its response needs. */
export interface Expectation {
  readonly method: string;
  /** Path as sent, without the query. */
  readonly path: string;
  readonly isBrokenHttp: boolean;
}

/** Compares a response with the document. @returns all faults, one line each. */
export function faultsOf(api: ApiDocument, expected: Expectation, reply: RawResponse): string[] {
  const faults = generalFaults(reply);
  if (expected.isBrokenHttp && httpRefusals.has(reply.status)) {
    return [...faults, ...problemFaults(api, expected, reply)];
  }
  const method = expected.method === 'HEAD' ? 'GET' : expected.method;
  const target = api.match(method, expected.path);
  if (target === 'other method') {
    return [...faults, ...otherMethodFaults(reply), ...problemFaults(api, expected, reply)];
  }
  if (target === null) {
    if (reply.status >= 400) faults.push(...problemFaults(api, expected, reply));
    return faults;
  }
  if (namesOtherAddress(expected.path) && reply.status === 405) {
    return [...faults, ...otherMethodFaults(reply), ...problemFaults(api, expected, reply)];
  }
  return [...faults, ...operationFaults(api, { operation: target, expected }, reply)];
}

/** Whether a parameter of a path turns it into another address: `self` beside ids, or an empty text. */
const namesOtherAddress = (path: string): boolean => /\/self$|\/\/$/.test(path);

/** Checks a response to a method that the path does not have. The path itself may be malformed. */
function otherMethodFaults({ status, headers }: RawResponse): string[] {
  if (status === 400 || status === 414) return [];
  if (status !== 405) return [`status ${status} for a method the address does not have`];
  return headers.allow ? [] : ['405 without Allow'];
}

function generalFaults({ status, headers, body, complete }: RawResponse): string[] {
  const faults: string[] = [];
  if (status >= 500) faults.push(`status ${status}: ${body.toString('utf8', 0, 300)}`);
  if (!complete && !headers['content-type']?.startsWith('text/event-stream'))
    faults.push('the response is cut off');
  if (!/^[A-Za-z0-9._:-]{1,128}$/.test(headers['x-request-id'] ?? '')) faults.push('no valid x-request-id');
  if (headers['x-content-type-options'] !== 'nosniff') faults.push('no x-content-type-options: nosniff');
  if (headers['access-control-allow-origin'] !== undefined) faults.push('CORS headers without CORS');
  if (headers['x-powered-by'] !== undefined || headers.server !== undefined)
    faults.push('names its software');
  return faults;
}

function operationFaults(
  api: ApiDocument,
  { operation, expected }: { operation: Operation; expected: Expectation },
  reply: RawResponse,
): string[] {
  const response = operation.responses[reply.status];
  if (!response) return [`${operation.id} does not document status ${reply.status} (${codeOf(reply)})`];
  const faults = headerFaults(response, reply).map((fault) => `${operation.id} ${reply.status}: ${fault}`);
  const content = (response.content ?? {}) as Record<string, Node>;
  const type = (reply.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  if (expected.method === 'HEAD') return faults;
  if (Object.keys(content).length === 0) {
    if (reply.body.length > 0) faults.push(`${operation.id} ${reply.status} has a body`);
    return faults;
  }
  const media = content[type];
  if (!media) return [...faults, `${operation.id} ${reply.status} is of the undocumented type '${type}'`];
  if (type === 'application/problem+json') {
    if (!Object.hasOwn((media.examples ?? {}) as Node, String(codeOf(reply))))
      faults.push(`${operation.id} does not document the code ${codeOf(reply)} with ${reply.status}`);
    return [...faults, ...problemFaults(api, expected, reply)];
  }
  const wrong = (value: unknown) => schemaFaults(api, media.schema as Node, value);
  if (type === 'application/json')
    faults.push(...wrong(parsed(reply)).map((each) => `${operation.id}: ${each}`));
  if (type === 'text/event-stream') {
    for (const [, data = ''] of reply.body.toString().matchAll(/^data: (.*)\n\n/gm)) {
      faults.push(...wrong(JSON.parse(data)).map((each) => `${operation.id}: ${each}`));
    }
  }
  return faults;
}

/** Headers that HTTP, proxies and browsers read, and those of limits, which the document describes once for all responses. */
const commonHeaders = new Set(
  `cache-control connection content-length content-security-policy content-type cross-origin-opener-policy
  cross-origin-resource-policy date keep-alive ratelimit ratelimit-policy referrer-policy strict-transport-security
  transfer-encoding vary x-accel-buffering x-content-type-options x-frame-options`.split(/\s+/),
);

function headerFaults(response: Node, reply: RawResponse): string[] {
  const documented = (response.headers ?? {}) as Record<string, Node>;
  const unknown = Object.keys(reply.headers).filter(
    (name) => !commonHeaders.has(name) && !Object.hasOwn(documented, name),
  );
  return [
    ...unknown.map((name) => `header ${name} is not documented`),
    ...documentedHeaderFaults(documented, reply),
  ];
}

function documentedHeaderFaults(documented: Record<string, Node>, reply: RawResponse): string[] {
  return Object.entries(documented).flatMap(([name, header]) => {
    const text = reply.headers[name];
    if (text === undefined) return header.required === true ? [`header ${name} is missing`] : [];
    const schema = header.schema as Node;
    if (schema.type === 'integer' && !/^[0-9]+$/.test(text)) return [`header ${name} is no integer: ${text}`];
    return Array.isArray(schema.enum) && !schema.enum.includes(text) ? [`header ${name} is ${text}`] : [];
  });
}

function schemaFaults(api: ApiDocument, schema: Node, value: unknown): string[] {
  const validate = api.validator(schema);
  if (validate(value)) return [];
  return (validate.errors ?? []).slice(0, 5).map(({ instancePath, message, params }) => {
    return `body${instancePath} ${message} ${JSON.stringify(params)}`;
  });
}

const problemSchema: Node = { $ref: '#/components/schemas/Problem' };

function problemFaults(api: ApiDocument, expected: Expectation, reply: RawResponse): string[] {
  if (expected.method === 'HEAD') return [];
  const type = reply.headers['content-type'] ?? '';
  if (!type.startsWith('application/problem+json'))
    return [`status ${reply.status} of type '${type}' is no problem`];
  const problem = parsed(reply) as Record<string, unknown> | undefined;
  const faults = schemaFaults(api, problemSchema, problem).map((each) => `Problem: ${each}`);
  if (!problem) return faults;
  if (problem.status !== reply.status)
    faults.push(`Problem says ${problem.status}, the response ${reply.status}`);
  if (problem.request_id !== reply.headers['x-request-id']) faults.push('Problem has another request id');
  const code = errorCodes.find((each) => each === problem.code);
  // After acceptance no client may retry, because a retry would be a second job.
  const isAccepted = reply.headers['x-darkroom-job-id'] !== undefined;
  const retryable = code !== undefined && errorRow(code).retryable && !isAccepted;
  if (retryable && !reply.headers['retry-after']) faults.push(`${code} without Retry-After`);
  if (!retryable && reply.headers['x-should-retry'] !== 'false')
    faults.push(`${code} without x-should-retry`);
  if (/\n\s+at |node_modules|node:internal|\.ts:\d|\/src\//.test(reply.body.toString())) {
    faults.push(`Problem shows internal code: ${reply.body.toString('utf8', 0, 400)}`);
  }
  return faults;
}

function parsed(reply: RawResponse): unknown {
  try {
    return JSON.parse(reply.body.toString());
  } catch {
    return undefined;
  }
}

function codeOf(reply: RawResponse): unknown {
  return (parsed(reply) as { code?: unknown } | undefined)?.code;
}
