import { z } from 'zod';

/** JSON Schema of the 2020-12 dialect, as OpenAPI 3.1 uses it. */
export type JsonSchema = Record<string, unknown>;

/** Reference to a named schema. */
export function ref(name: string): JsonSchema {
  return { $ref: `${name}#` };
}

interface Named {
  /** What callers send: taken as it is, strict where zod is strict. */
  readonly requests: Record<string, z.ZodType>;
  /** What callers get: open, so that a field can be added without breaking whoever validates. */
  readonly responses: Record<string, z.ZodType>;
  /** Lists of values that several schemas share. */
  readonly values: Record<string, { readonly values: readonly string[]; readonly description: string }>;
  /** Descriptions and examples of named schemas. */
  readonly notes: Record<string, JsonSchema>;
}

/**
 * Named JSON Schemas of zod schemas. A named one that is used inside another becomes a reference, so that every shape is
 * written once and generated clients get one type for it.
 */
export function namedJsonSchemas(named: Named): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries({ ...named.requests, ...named.responses })) {
    registry.add(schema, { id });
  }
  const valueNames = new Map(
    Object.entries(named.values).map(([name, { values }]) => [values.join(' '), name]),
  );
  const convert = (io: 'input' | 'output') =>
    z.toJSONSchema(registry, {
      io,
      uri: (id) => `${id}#`,
      override: ({ jsonSchema: node }) => simplify(node as JsonSchema, valueNames, io === 'output'),
    }).schemas as Record<string, JsonSchema>;
  const requests = convert('input');
  const responses = convert('output');
  const pick = (names: Record<string, unknown>, from: Record<string, JsonSchema>) =>
    Object.fromEntries(
      Object.keys(names).map((name) => [name, { ...withoutHead(from[name] ?? {}), ...named.notes[name] }]),
    );
  return {
    ...pick(named.requests, requests),
    ...pick(named.responses, responses),
    ...Object.fromEntries(
      Object.entries(named.values).map(([name, { values, description }]) => [
        name,
        { type: 'string', description, enum: [...values] },
      ]),
    ),
  };
}

/** Takes out what helps neither readers nor generators. */
function simplify(node: JsonSchema, valueNames: ReadonlyMap<string, string>, open: boolean): void {
  // zod writes the pattern of a format as well, and the bounds of a safe integer, which are news only to who sends one.
  if (node.format) delete node.pattern;
  if (open && node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum;
  if (open && node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
  if (open && node.properties && node.additionalProperties === false) delete node.additionalProperties;
  const shared = Array.isArray(node.enum) ? valueNames.get(node.enum.join(' ')) : undefined;
  if (shared) {
    for (const key of Object.keys(node)) delete node[key];
    Object.assign(node, ref(shared));
  }
}

function withoutHead({ $schema: _dialect, $id: _id, ...rest }: JsonSchema): JsonSchema {
  return rest;
}
