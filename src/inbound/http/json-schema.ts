import { z } from 'zod';

/** JSON Schema of the 2020-12 dialect, as OpenAPI 3.1 uses it. */
export type JsonSchema = Record<string, unknown>;

/** Returns a reference to a named schema. */
export function ref(name: string): JsonSchema {
  return { $ref: `${name}#` };
}

/** Named schemas of one subject. */
export interface SchemaGroup {
  /** Bodies of requests. Strict if the zod schema is strict. */
  readonly requests?: Readonly<Record<string, z.ZodType>>;
  /** Bodies of responses. Open, so that a new field does not break clients that validate. */
  readonly responses?: Readonly<Record<string, z.ZodType>>;
  /** Choices between named schemas. */
  readonly unions?: Readonly<Record<string, JsonSchema>>;
  /** Enumerations that several schemas share, with their descriptions. */
  readonly values?: Readonly<
    Record<string, { readonly values: readonly string[]; readonly description: string }>
  >;
  /** Descriptions and examples of named schemas. */
  readonly notes?: Readonly<Record<string, JsonSchema>>;
}

/** Returns a choice between named schemas, discriminated by the value of one field. */
export function unionOf(
  propertyName: string,
  members: readonly (readonly [value: string, schemaName: string])[],
  description?: string,
): JsonSchema {
  return {
    ...(description ? { description } : {}),
    oneOf: members.map(([, name]) => ref(name)),
    discriminator: {
      propertyName,
      mapping: Object.fromEntries(members.map(([value, name]) => [value, `#/components/schemas/${name}`])),
    },
  };
}

/** Returns the schema of a page of a list. */
export const pageOf = (item: z.ZodType) =>
  z.object({
    object: z.literal('list'),
    data: z.array(item),
    has_more: z.boolean(),
    next_cursor: z.string().nullable().describe('Cursor of the next page; `null` on the last page.'),
  });

/**
 * Converts zod schemas to named JSON Schemas. A named schema inside another becomes a reference, so generated clients get
 * one type for each shape.
 */
export function namedJsonSchemas(groups: readonly SchemaGroup[]): Record<string, JsonSchema> {
  const all = <Key extends keyof SchemaGroup>(key: Key) =>
    Object.assign({}, ...groups.map((group) => group[key])) as NonNullable<SchemaGroup[Key]>;
  const requests = all('requests');
  const responses = all('responses');
  const values = all('values');
  const notes = all('notes');
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries({ ...requests, ...responses })) registry.add(schema, { id });
  const valueNames = new Map(Object.entries(values).map(([name, each]) => [each.values.join(' '), name]));
  const convert = (io: 'input' | 'output') =>
    z.toJSONSchema(registry, {
      io,
      uri: (id) => `${id}#`,
      override: ({ jsonSchema: node }) => simplify(node as JsonSchema, valueNames, io === 'output'),
    }).schemas as Record<string, JsonSchema>;
  const pick = (names: Record<string, unknown>, from: Record<string, JsonSchema>) =>
    Object.fromEntries(
      Object.keys(names).map((name) => [name, { ...withoutHead(from[name] ?? {}), ...notes[name] }]),
    );
  return {
    ...pick(requests, convert('input')),
    ...pick(responses, convert('output')),
    ...all('unions'),
    ...Object.fromEntries(
      Object.entries(values).map(([name, each]) => [
        name,
        { type: 'string', description: each.description, enum: [...each.values] },
      ]),
    ),
  };
}

/**
 * Limits of values. A response has none: a later release may raise the limit of a request, and clients whose validators
 * count UTF-16 code units instead of code points would refuse their own prompts.
 */
const limits = [
  ...['minLength', 'maxLength', 'pattern', 'minItems', 'maxItems', 'minProperties', 'maxProperties'],
  ...['propertyNames', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
];

/** Removes keywords that neither readers nor generators need, and adds formats. */
function simplify(node: JsonSchema, valueNames: ReadonlyMap<string, string>, isOpen: boolean): void {
  // zod adds the pattern of a format.
  if (node.format) delete node.pattern;
  if (isOpen) for (const limit of limits) delete node[limit];
  if (isOpen && node.properties && node.additionalProperties === false) delete node.additionalProperties;
  for (const [name, property] of Object.entries((node.properties ?? {}) as Record<string, JsonSchema>)) {
    if (isLarge(name)) markLarge(property);
  }
  const shared = Array.isArray(node.enum) ? valueNames.get(node.enum.join(' ')) : undefined;
  if (shared) {
    for (const key of Object.keys(node)) delete node[key];
    Object.assign(node, ref(shared));
  }
}

/** Returns whether a number of this name may exceed 32 bits: money in micro-USD and sizes in bytes. */
const isLarge = (name: string) => name.includes('micro_usd') || name.endsWith('_bytes');

function markLarge(schema: JsonSchema): void {
  if (schema.type === 'integer') schema.format = 'int64';
  for (const choice of (schema.anyOf ?? []) as JsonSchema[]) markLarge(choice);
}

function withoutHead({ $schema: _dialect, $id: _id, ...rest }: JsonSchema): JsonSchema {
  return rest;
}
