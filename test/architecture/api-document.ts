import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { textOf } from '../../scripts/language/source-files.ts';

type Node = Record<string, unknown>;

/** Returns every object below a value with its path. */
function walk(value: unknown, path: string): [path: string, node: Node][] {
  if (value === null || typeof value !== 'object') return [];
  const nested = Object.entries(value).flatMap(([key, each]) => walk(each, `${path}/${key}`));
  return Array.isArray(value) ? nested : [[path, value as Node], ...nested];
}

const text = textOf('openapi.yaml');
const document = parse(text, { version: '1.2' }) as {
  paths: Node;
  components: { schemas: Record<string, Node> };
};
const { schemas } = document.components;
const inSchemas = Object.entries(schemas).flatMap(([name, schema]) => walk(schema, name));
const fieldsOf = (node: Node) => Object.entries((node.properties ?? {}) as Record<string, Node>);

/** Names of the schemas that requests use, directly or through other schemas. */
function requestSchemas(): Set<string> {
  const found = new Set<string>();
  const follow = (value: unknown) => {
    for (const [, { $ref }] of walk(value, '')) {
      const name = typeof $ref === 'string' ? $ref.replace('#/components/schemas/', '') : '';
      if (!schemas[name] || found.has(name)) continue;
      found.add(name);
      follow(schemas[name]);
    }
  };
  for (const [, { requestBody }] of walk(document.paths, '')) follow(requestBody);
  return found;
}

describe('openapi.yaml', () => {
  it('openapi.yaml has the same content for readers of YAML 1.1 and of YAML 1.2', () => {
    expect(parse(text, { version: '1.1' })).toEqual(document);
  });

  it('every field of a request is described', () => {
    const names = requestSchemas();
    const silent = [...names].flatMap((name) =>
      fieldsOf(schemas[name] ?? {})
        .filter(([, field]) => {
          const target = String(field.$ref ?? '').replace('#/components/schemas/', '');
          return !(field.description ?? schemas[target]?.description);
        })
        .map(([field]) => `${name}.${field}`),
    );
    expect(names).toContain('ImageRequest');
    expect(silent).toEqual([]);
  });

  it('every object and every enumeration inside a schema has a name of its own', () => {
    const inline = inSchemas.filter(
      ([path, { properties, enum: values }]) =>
        path.includes('/') && (properties !== undefined || (Array.isArray(values) && values.length > 1)),
    );
    expect(inline.map(([path]) => path).filter((path) => !path.endsWith('/properties'))).toEqual([]);
  });

  it('money and sizes in bytes are integers of 64 bits', () => {
    const amounts = inSchemas.flatMap(([, node]) =>
      fieldsOf(node).filter(([name]) => /micro_usd|_bytes$/.test(name)),
    );
    expect(amounts.length).toBeGreaterThan(5);
    for (const [name, schema] of amounts) {
      expect(JSON.stringify(schema), name).toContain('"format":"int64"');
    }
  });

  it('every choice between objects is discriminated by the value of one field', () => {
    const choices = walk(document, '').filter(([, { oneOf }]) => oneOf !== undefined);
    expect(choices.length).toBeGreaterThan(2);
    for (const [path, { oneOf, discriminator }] of choices) {
      const { propertyName, mapping } = discriminator as { propertyName: string; mapping: Node };
      expect(Object.keys(mapping), path).toHaveLength((oneOf as Node[]).length);
      for (const [value, reference] of Object.entries(mapping)) {
        const schema = schemas[String(reference).replace('#/components/schemas/', '')];
        expect(new Map(fieldsOf(schema ?? {})).get(propertyName)?.enum, path).toEqual([value]);
      }
    }
  });
});
