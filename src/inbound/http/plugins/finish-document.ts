import { STATUS_CODES } from 'node:http';
import type { Example } from '../request-examples.ts';

type Node = Record<string, unknown>;
/** A part of the document that may become a reference to a component. */
interface Part {
  /** Section of `components`. */
  readonly section: 'parameters' | 'headers' | 'examples' | 'responses';
  readonly name: string;
  /** Position of the part. */
  readonly holder: Node | unknown[];
  readonly key: string | number;
}
type Visit = (part: Part) => void;

/** Ends of the names of parts, if a schema has the same name. */
const suffixes = {
  parameters: 'Parameter',
  headers: 'Header',
  examples: 'Example',
  responses: 'Response',
} as const;

/**
 * Converts the OpenAPI document of the routes to the form for readers and generators: parts that operations share move to
 * `components`.
 *
 * @param options.requestExamples Examples by operation id.
 * @param options.optionalBodies Ids of operations whose body may be absent.
 */
export function finishDocument(
  document: object,
  options: {
    readonly requestExamples: Readonly<Record<string, Record<string, Example>>>;
    readonly optionalBodies: ReadonlySet<string>;
  },
): Node {
  // The document is copied by JSON, because shared nodes would become anchors and aliases in YAML.
  const finished = JSON.parse(JSON.stringify(document)) as Node;
  for (const operation of operationsOf(finished)) {
    for (const parameter of list(operation.parameters)) {
      const schema = node(parameter.schema);
      if (parameter.in === 'query' && schema.type === 'object') {
        // The example keeps the page from sending made-up pairs.
        Object.assign(parameter, { style: 'deepObject', explode: true, example: {} });
      }
    }
    for (const response of Object.values(node(operation.responses)) as Node[]) {
      for (const header of Object.values(node(response.headers)) as Node[]) liftRequired(header);
    }
    const id = String(operation.operationId);
    const examples = options.requestExamples[id];
    const body = node(node(node(operation.requestBody).content)['application/json']);
    if (examples) body.examples = examples;
    if (options.optionalBodies.has(id)) node(operation.requestBody).required = false;
  }
  shareParts(finished, visitDetails);
  shareParts(finished, visitResponses);
  return finished;
}

/** Moves `required` of a header out of its schema. */
function liftRequired(header: Node): void {
  const schema = node(header.schema);
  if (schema.required === true) header.required = true;
  delete schema.required;
}

/** Moves repeated parts to `components`. If a name has several shapes, the most frequent one is moved. */
function shareParts(document: Node, visitAll: (document: Node, visit: Visit) => void): void {
  const uses = new Map<string, Map<string, number>>();
  visitAll(document, ({ section, name, holder, key }) => {
    const id = `${section}/${name}`;
    const text = JSON.stringify(at(holder, key));
    const counts = uses.get(id) ?? new Map<string, number>();
    uses.set(id, counts.set(text, (counts.get(text) ?? 0) + 1));
  });
  const components = node(document.components);
  const schemas = node(components.schemas);
  visitAll(document, ({ section, name: plainName, holder, key }) => {
    const text = JSON.stringify(at(holder, key));
    const [max, count] =
      [...(uses.get(`${section}/${plainName}`) ?? [])].sort((a, b) => b[1] - a[1])[0] ?? [];
    if (text !== max || count === undefined || count < 2) return;
    // Generators write all components into one namespace.
    const name = Object.hasOwn(schemas, plainName) ? `${plainName}${suffixes[section]}` : plainName;
    const shared = node(components[section]);
    components[section] = shared;
    shared[name] = JSON.parse(text);
    put(holder, key, { $ref: `#/components/${section}/${name}` });
  });
}

function visitDetails(document: Node, visit: Visit): void {
  for (const operation of operationsOf(document)) {
    const parameters = list(operation.parameters);
    for (const [i, parameter] of parameters.entries()) {
      visit({ section: 'parameters', name: pascal(String(parameter.name)), holder: parameters, key: i });
    }
    for (const response of Object.values(node(operation.responses)) as Node[]) {
      const headers = node(response.headers);
      for (const name of Object.keys(headers)) {
        visit({ section: 'headers', name: pascal(name), holder: headers, key: name });
      }
      for (const media of Object.values(node(response.content)) as Node[]) {
        const examples = node(media.examples);
        for (const name of Object.keys(examples)) {
          visit({ section: 'examples', name, holder: examples, key: name });
        }
      }
    }
  }
}

function visitResponses(document: Node, visit: Visit): void {
  for (const operation of operationsIn(document.paths)) {
    const responses = node(operation.responses);
    for (const status of Object.keys(responses)) {
      visit({
        section: 'responses',
        name: pascal(STATUS_CODES[status] ?? status),
        holder: responses,
        key: status,
      });
    }
  }
}

const operationsOf = (document: Node) => [
  ...operationsIn(document.paths),
  ...operationsIn(document.webhooks),
];

function operationsIn(items: unknown): Node[] {
  return Object.values(node(items)).flatMap((item) => Object.values(node(item)).map(node));
}

const node = (value: unknown) => (value ?? {}) as Node;
const list = (value: unknown) => (value ?? []) as Node[];
const at = (holder: Node | unknown[], key: string | number) => (holder as Node)[key];
const put = (holder: Node | unknown[], key: string | number, value: unknown) => {
  (holder as Node)[key] = value;
};

/** Returns the name of a component for texts such as `x-request-id` and `Not Found`. */
function pascal(text: string): string {
  return text
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
