import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { inject } from 'vitest';
import { rewritePath } from '../../src/inbound/http/rewrite-path.ts';

/** A node of the OpenAPI document. */
export type Node = Record<string, unknown>;

/** One operation of the document, with resolved references to parameters, headers and responses. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Node[];
  /** Schema of the JSON body, if the operation has one. */
  readonly bodySchema: Node | undefined;
  readonly bodyExamples: Readonly<Record<string, unknown>>;
  /** By status, as text. */
  readonly responses: Readonly<Record<string, Node>>;
  readonly secured: boolean;
  /** Scope that the key needs. Absent if every valid key will do, and for an operation without a key. */
  readonly scope: string | undefined;
}

export interface ApiDocument {
  readonly document: Node;
  readonly operations: readonly Operation[];
  /** Returns the target of a `$ref`. */
  resolve(reference: string): Node;
  /** Returns a validator of a schema of the document. It also refuses members that the schema does not name. */
  validator(schema: Node): ValidateFunction;
  /** Returns the operation of a request, `'other method'` if only the path is known, `null` for an unknown path. */
  match(method: string, path: string): Operation | 'other method' | null;
}

const documentId = 'darkroom';

let committed: ApiDocument | undefined;

/** Returns openapi.yaml, the committed document that the service serves. */
export function readApiDocument(): ApiDocument {
  committed ??= createApiDocument(JSON.parse(readFileSync(inject('apiDocumentFile'), 'utf8')));
  return committed;
}

/** Indexes a document. */
export function createApiDocument(document: Node): ApiDocument {
  const resolve = (reference: string): Node => {
    const parts = reference
      .slice(2)
      .split('/')
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    return parts.reduce<Node>((node, part) => node[part] as Node, document);
  };
  const follow = (value: unknown): Node => {
    const node = (value ?? {}) as Node;
    return typeof node.$ref === 'string' ? resolve(node.$ref) : node;
  };
  const operations = Object.entries(document.paths as Record<string, Record<string, Node>>).flatMap(
    ([path, item]) =>
      Object.entries(item).map(([method, operation]) => readOperation({ path, method }, operation, follow)),
  );
  const patterns = new Map(operations.map(({ path }) => [path, patternOf(path)]));
  const ajv = createAjv(document);
  const validators = new Map<Node, ValidateFunction>();
  return {
    document,
    operations,
    resolve,
    validator(schema) {
      const known = validators.get(schema) ?? ajv.compile(absolute(schema));
      validators.set(schema, known);
      return known;
    },
    match(method, path) {
      // Clients of the OpenAI API may omit `/v1`, and a slash at the end has no meaning.
      const meant = rewritePath(path);
      const here = operations.filter((operation) => patterns.get(operation.path)?.test(meant));
      return (
        here.find((operation) => operation.method === method) ?? (here.length > 0 ? 'other method' : null)
      );
    },
  };
}

function readOperation(
  { path, method }: { path: string; method: string },
  operation: Node,
  follow: (value: unknown) => Node,
): Operation {
  const body = (follow(operation.requestBody).content as Record<string, Node> | undefined)?.[
    'application/json'
  ];
  const responses = Object.entries((operation.responses ?? {}) as Node).map(([status, response]) => {
    const followed = follow(response);
    const headers = Object.entries((followed.headers ?? {}) as Node).map(
      ([name, header]) => [name, follow(header)] as const,
    );
    return [status, { ...followed, headers: Object.fromEntries(headers) }] as const;
  });
  return {
    id: String(operation.operationId),
    method: method.toUpperCase(),
    path,
    parameters: ((operation.parameters ?? []) as unknown[]).map(follow),
    bodySchema: body?.schema as Node | undefined,
    bodyExamples: Object.fromEntries(
      Object.entries((body?.examples ?? {}) as Record<string, Node>).map(([name, { value }]) => [
        name,
        value,
      ]),
    ),
    responses: Object.fromEntries(responses),
    secured: ((operation.security ?? []) as unknown[]).length > 0,
    scope: ((operation.security ?? []) as { apiKey?: string[] }[])[0]?.apiKey?.[0],
  };
}

/** Converts a path to a pattern. `{key}` of a file may contain slashes. Other parameters are one segment. */
function patternOf(path: string): RegExp {
  const pattern = path.replace(/\{(\w+)\}/g, (_, name: string) => (name === 'key' ? '.*' : '[^/]+'));
  return new RegExp(`^${pattern}$`, 's');
}

/** Creates a validator in which objects are closed that are open only for members of later versions. */
function createAjv(document: Node): Ajv2020 {
  const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: true });
  addFormats.default(ajv);
  ajv.addFormat('binary', true);
  ajv.addSchema(closed(document) as Node, documentId);
  return ajv;
}

function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (value === null || typeof value !== 'object') return value;
  const node = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, closed(each)]));
  const isOpenObject = node.type === 'object' && node.properties && node.additionalProperties === undefined;
  return isOpenObject ? { ...node, additionalProperties: false } : node;
}

function absolute(value: unknown): Node {
  const text = JSON.stringify(closed(value));
  return JSON.parse(text.replaceAll('"$ref":"#', `"$ref":"${documentId}#`)) as Node;
}
