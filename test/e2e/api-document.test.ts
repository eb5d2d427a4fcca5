import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventTypes } from '../../src/domain/webhook-event.ts';
import { type Node, readApiDocument } from '../support/openapi-document.ts';
import { startService, type TestService } from '../support/service.ts';

const api = readApiDocument();
const components = api.document.components as Record<string, Record<string, Node>>;

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

/** Returns every object of the document with its path. */
function walk(value: unknown, path = '#'): [path: string, node: Node][] {
  if (value === null || typeof value !== 'object') return [];
  const nested = Object.entries(value).flatMap(([key, each]) =>
    walk(each, `${path}/${key.replaceAll('/', '~1')}`),
  );
  return Array.isArray(value) ? nested : [[path, value as Node], ...nested];
}
const nodes = walk(api.document);

describe('the OpenAPI document', () => {
  it('serves the committed document as YAML and as JSON', async () => {
    const yaml = await supertest(service.url)
      .get('/openapi.yaml')
      .buffer(true)
      .parse((response, done) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part) => {
          text += part;
        });
        response.on('end', () => done(null, text));
      });
    const json = await supertest(service.url).get('/openapi.json').expect(200);

    expect(yaml.body).toBe(readFileSync('openapi.yaml', 'utf8'));
    expect(json.body).toEqual(api.document);
  });

  it.each(api.operations.map((operation) => [operation.id, operation] as const))(
    'documents the summary, the security, the parameters and the errors of %s',
    (id, operation) => {
      const node = (api.document.paths as Record<string, Record<string, Node>>)[operation.path]?.[
        operation.method.toLowerCase()
      ];
      expect(id).toMatch(/^[a-z][A-Za-z]+$/);
      const isText = expect.stringMatching(/\S/);
      expect(node).toMatchObject({ summary: isText, description: isText, tags: [expect.any(String)] });
      expect(node?.security).toBeDefined();
      for (const parameter of operation.parameters) expect(parameter.description).toBeTruthy();
      const { responses } = operation;
      expect(Object.keys(responses).some((status) => status.startsWith('2'))).toBe(true);
      for (const status of [
        '400',
        '408',
        '431',
        // Clients of the OpenAI API get 503 for every fault before a job exists.
        ...(operation.path.startsWith('/v1') ? [] : ['500']),
        ...(operation.secured ? ['401', '403', '503'] : []),
      ]) {
        const content = responses[status]?.content as Record<string, Node> | undefined;
        expect(Object.keys(content?.['application/problem+json']?.examples ?? {}).length).toBeGreaterThan(0);
      }
      for (const response of Object.values(responses)) {
        expect(response.headers).toHaveProperty('x-request-id');
      }
    },
  );

  it('has named schemas that are valid JSON Schemas, which the server does not check when it starts', () => {
    const ajv = new Ajv2020({ strict: false });
    for (const [name, schema] of Object.entries(components.schemas ?? {})) {
      expect([name, ajv.validateSchema(schema as Node), ajv.errors]).toEqual([name, true, null]);
    }
  });

  it('gives every operation a unique id', () => {
    const ids = nodes.flatMap(([, { operationId }]) =>
      typeof operationId === 'string' ? [operationId] : [],
    );
    expect(ids.length).toBeGreaterThan(15);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('describes exactly the tags of its operations', () => {
    const described = (api.document.tags as Node[]).map(({ name }) => name);
    const used = nodes.flatMap(([, { operationId, tags }]) =>
      typeof operationId === 'string' ? (tags as string[]) : [],
    );
    expect([...described].sort()).toEqual([...new Set(used)].sort());
  });

  it('has no dangling reference and no unused component', () => {
    const references = new Set(nodes.flatMap(([, { $ref }]) => (typeof $ref === 'string' ? [$ref] : [])));
    const named = Object.entries(components)
      .filter(([section]) => section !== 'securitySchemes')
      .flatMap(([section, parts]) => Object.keys(parts).map((name) => `#/components/${section}/${name}`));

    expect([...references].filter((reference) => !named.includes(reference))).toEqual([]);
    // The union is for programs that handle every webhook at one address.
    expect(named.filter((name) => !references.has(name))).toEqual(['#/components/schemas/WebhookEvent']);
  });

  it('has components whose names differ, because generators write them into one namespace', () => {
    const names = Object.entries(components)
      .filter(([section]) => section !== 'examples')
      .flatMap(([, parts]) => Object.keys(parts));
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });

  it('has a name for every object, because generators invent names for the others', () => {
    const inline = nodes.filter(
      ([path, node]) =>
        node.type === 'object' && node.properties && !/^#\/components\/schemas\/\w+$/.test(path),
    );
    expect(inline.map(([path]) => path)).toEqual([]);
  });

  it('has no limits of values in the schemas of responses, except in parts that requests share', () => {
    const { schemas = {} } = components;
    const isInput = (name: string) =>
      schemas[name]?.additionalProperties === false || name === 'PresetChoice';
    const limits = /^(min|max|exclusive|pattern$|propertyNames$)/;
    const limited = Object.keys(schemas)
      .filter((name) => !isInput(name))
      .flatMap((name) => walk(schemas[name], name))
      .filter(([path]) => !/\/(properties|default|examples.*)$/.test(path))
      .filter(([, node]) => Object.keys(node).some((key) => limits.test(key)));
    expect(limited.map(([path]) => path)).toEqual([]);
  });

  it('has no inline copy of a named schema', () => {
    const shapeOf = (node: Node) =>
      Object.keys((node.properties ?? {}) as Node)
        .sort()
        .join(' ');
    const named = new Map(
      Object.entries(components.schemas ?? {})
        .filter(([, schema]) => Object.keys((schema.properties ?? {}) as Node).length > 1)
        .map(([name, schema]) => [shapeOf(schema), `#/components/schemas/${name}`]),
    );
    const isNamed = /^#\/components\/schemas\/\w+$/;
    const copies = nodes.filter(([path, node]) => {
      const original = named.get(shapeOf(node));
      return original !== undefined && !isNamed.test(path);
    });

    expect(named.size).toBeGreaterThan(15);
    expect(copies.map(([path]) => path)).toEqual([]);
  });

  it('documents every webhook with the headers for its verification', () => {
    const webhooks = api.document.webhooks as Record<string, { post: Node }>;

    expect(Object.keys(webhooks)).toEqual([...eventTypes]);
    for (const { post } of Object.values(webhooks)) {
      const names = (post.parameters as Node[]).map(({ $ref }) => api.resolve(String($ref)).name);
      expect(names).toEqual(['webhook-id', 'webhook-timestamp', 'webhook-signature']);
    }
  });
});

describe('the examples of the OpenAPI document', () => {
  const follow = (value: Node) => (typeof value.$ref === 'string' ? api.resolve(value.$ref) : value);
  const inMedia = nodes.flatMap(([path, node]) =>
    node.schema && node.examples
      ? Object.entries(node.examples as Record<string, Node>).map(
          ([name, example]) => [`${path}/${name}`, node.schema as Node, follow(example).value] as const,
        )
      : [],
  );
  const inSchemas = Object.entries(components.schemas ?? {}).flatMap(([name, schema]) =>
    ((schema.examples ?? []) as unknown[]).map(
      (example) => [name, { $ref: `#/components/schemas/${name}` }, example] as const,
    ),
  );

  it('every example matches its schema', () => {
    const wrong = [...inMedia, ...inSchemas].flatMap(([path, schema, value]) => {
      const validate = api.validator(schema);
      return validate(value) ? [] : [`${path}: ${JSON.stringify(validate.errors)}`];
    });

    expect(inMedia.length).toBeGreaterThan(40);
    expect(inSchemas.length).toBeGreaterThan(1);
    expect(wrong).toEqual([]);
  });

  const submissions = Object.entries(api.operations.find(({ id }) => id === 'submitJob')?.bodyExamples ?? {});
  it('the document has a request example for every built-in preset', async () => {
    const { body } = await service.acme.get('/presets').expect(200);
    const presets = (body.data as { name: string }[]).map(({ name }) => name);
    expect(submissions.map(([name]) => name)).toEqual(['plain', ...presets]);
  });

  it.each(submissions)('the service accepts the request example %s unchanged', async (_, request) => {
    const { body } = await service.acme
      .post('/images?dry_run=true')
      .send(request as object)
      .expect(200);
    expect(body.warnings).toEqual([]);
    expect(body.estimate.low_micro_usd).toBeGreaterThan(0);
  });
});
