import { errorCodes, errorRow } from '../../src/domain/errors.ts';
import type { ApiDocument, Node, Operation } from './openapi-document.ts';
import type { RawAnswer } from './raw-http.ts';

/** Refusals of what is no proper HTTP, which no operation documents because none is reached. */
const httpRefusals = new Set([400, 404, 405, 408, 413, 414, 415, 417, 431]);

/** What is said about a request before its answer is looked at. */
export interface Expectation {
  readonly method: string;
  /** Path as sent, without the query. */
  readonly path: string;
  readonly isBrokenHttp: boolean;
}

/** Compares an answer with the document. @returns everything that is wrong with it, one line each. */
export function faultsOf(api: ApiDocument, expected: Expectation, answer: RawAnswer): string[] {
  const faults = generalFaults(answer);
  if (expected.isBrokenHttp && httpRefusals.has(answer.status)) {
    return [...faults, ...problemFaults(api, expected, answer)];
  }
  const method = expected.method === 'HEAD' ? 'GET' : expected.method;
  const target = api.match(method, expected.path);
  if (target === 'other method') {
    return [...faults, ...otherMethodFaults(answer), ...problemFaults(api, expected, answer)];
  }
  if (target === null) {
    if (answer.status >= 400) faults.push(...problemFaults(api, expected, answer));
    return faults;
  }
  return [...faults, ...operationFaults(api, target, expected, answer)];
}

/** The address itself may be malformed; otherwise the methods it has are named. */
function otherMethodFaults({ status, headers }: RawAnswer): string[] {
  if (status === 400 || status === 414) return [];
  if (status !== 405) return [`status ${status} for a method the address does not have`];
  return headers.allow ? [] : ['405 without Allow'];
}

function generalFaults({ status, headers, body, complete }: RawAnswer): string[] {
  const faults: string[] = [];
  if (status >= 500) faults.push(`status ${status}: ${body.toString('utf8', 0, 300)}`);
  if (!complete && !headers['content-type']?.startsWith('text/event-stream'))
    faults.push('the answer is cut off');
  if (!/^[A-Za-z0-9._:-]{1,128}$/.test(headers['x-request-id'] ?? '')) faults.push('no sane x-request-id');
  if (headers['x-content-type-options'] !== 'nosniff') faults.push('no x-content-type-options: nosniff');
  if (headers['access-control-allow-origin'] !== undefined) faults.push('CORS headers without CORS');
  if (headers['x-powered-by'] !== undefined || headers.server !== undefined)
    faults.push('names its software');
  return faults;
}

function operationFaults(
  api: ApiDocument,
  operation: Operation,
  expected: Expectation,
  answer: RawAnswer,
): string[] {
  const response = operation.responses[answer.status];
  if (!response) return [`${operation.id} does not document status ${answer.status} (${codeOf(answer)})`];
  const faults = headerFaults(response, answer).map((fault) => `${operation.id} ${answer.status}: ${fault}`);
  const content = (response.content ?? {}) as Record<string, Node>;
  const type = (answer.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  if (expected.method === 'HEAD') return faults;
  if (Object.keys(content).length === 0) {
    if (answer.body.length > 0) faults.push(`${operation.id} ${answer.status} has a body`);
    return faults;
  }
  const media = content[type];
  if (!media) return [...faults, `${operation.id} ${answer.status} is of the undocumented type '${type}'`];
  if (type === 'application/problem+json') return [...faults, ...problemFaults(api, expected, answer)];
  const wrong = (value: unknown) => schemaFaults(api, media.schema as Node, value);
  if (type === 'application/json')
    faults.push(...wrong(parsed(answer)).map((each) => `${operation.id}: ${each}`));
  if (type === 'text/event-stream') {
    for (const [, data = ''] of answer.body.toString().matchAll(/^data: (.*)\n\n/gm)) {
      faults.push(...wrong(JSON.parse(data)).map((each) => `${operation.id}: ${each}`));
    }
  }
  return faults;
}

function headerFaults(response: Node, answer: RawAnswer): string[] {
  return Object.entries((response.headers ?? {}) as Record<string, Node>).flatMap(([name, header]) => {
    const text = answer.headers[name];
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

function problemFaults(api: ApiDocument, expected: Expectation, answer: RawAnswer): string[] {
  if (expected.method === 'HEAD') return [];
  const type = answer.headers['content-type'] ?? '';
  if (!type.startsWith('application/problem+json'))
    return [`status ${answer.status} of type '${type}' is no problem`];
  const problem = parsed(answer) as Record<string, unknown> | undefined;
  const faults = schemaFaults(api, problemSchema, problem).map((each) => `Problem: ${each}`);
  if (!problem) return faults;
  if (problem.status !== answer.status)
    faults.push(`Problem says ${problem.status}, the answer ${answer.status}`);
  if (problem.request_id !== answer.headers['x-request-id']) faults.push('Problem has another request id');
  const code = errorCodes.find((each) => each === problem.code);
  const retryable = code !== undefined && errorRow(code).retryable;
  if (retryable && !answer.headers['retry-after']) faults.push(`${code} without Retry-After`);
  if (!retryable && answer.headers['x-should-retry'] !== 'false')
    faults.push(`${code} without x-should-retry`);
  if (/\n\s+at |node_modules|node:internal|\.ts:\d|\/src\//.test(answer.body.toString())) {
    faults.push(`Problem tells of our code: ${answer.body.toString('utf8', 0, 400)}`);
  }
  return faults;
}

function parsed(answer: RawAnswer): unknown {
  try {
    return JSON.parse(answer.body.toString());
  } catch {
    return undefined;
  }
}

function codeOf(answer: RawAnswer): unknown {
  return (parsed(answer) as { code?: unknown } | undefined)?.code;
}
