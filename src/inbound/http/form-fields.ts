import { AppError } from '../../domain/errors.ts';
import { pointerToken } from '../../domain/json-pointer.ts';
import { findDuplicateName } from './duplicate-names.ts';
import { maxDepth, measure } from './json-body.ts';
import type { JsonSchema } from './json-schema.ts';

type Resolve = (name: string) => JsonSchema | undefined;
type Fields = ReadonlyMap<string, string>;

/**
 * Converts the texts of a form to the types of a schema. A nested value is JSON, or its members are fields such as
 * `svg[model]`. A text that cannot be converted stays a text, which the validation then refuses.
 *
 * @param resolve returns a named schema.
 */
export function typedFields(fields: Fields, schema: JsonSchema, resolve: Resolve): Record<string, unknown> {
  const { properties = {} } = schema as { properties?: Record<string, JsonSchema> };
  const body: Record<string, unknown> = Object.create(null);
  const { texts, nested } = withMembers(fields);
  for (const [name, text] of texts) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    body[name] = property ? typed(name, text, referenced(property, resolve)) : text;
  }
  for (const [name, members] of nested) {
    if (texts.has(name)) throw invalid(name, 'occurs more than once');
    const property = Object.hasOwn(properties, name) ? (properties[name] ?? {}) : {};
    body[name] = typedFields(members, referenced(property, resolve), resolve);
  }
  return { ...body };
}

/** Name of a member of a nested value: `svg[reasoning][effort]`. */
const memberName = /^([^[\]]+)\[([^[\]]+)\]((?:\[[^[\]]+\])*)$/;

/** Separates fields that are members of nested values. */
function withMembers(fields: Fields): { texts: Fields; nested: ReadonlyMap<string, Fields> } {
  const texts = new Map<string, string>();
  const nested = new Map<string, Map<string, string>>();
  for (const [field, text] of fields) {
    const [, name, member, rest = ''] = memberName.exec(field) ?? [];
    if (name === undefined) {
      texts.set(field, text);
      continue;
    }
    if (member === '__proto__') throw invalid(name, 'must not hold a field named __proto__');
    const members = nested.get(name) ?? new Map<string, string>();
    nested.set(name, members.set(`${member}${rest}`, text));
  }
  return { texts, nested };
}

/** Returns a schema, or the schema that it refers to. */
function referenced(schema: JsonSchema, resolve: Resolve): JsonSchema {
  const { $ref } = schema;
  return typeof $ref === 'string' ? (resolve($ref.replace(/#$/, '')) ?? {}) : schema;
}

function typed(name: string, text: string, property: JsonSchema): unknown {
  if (property.type === 'string') return text;
  if (property.type === 'integer' || property.type === 'number') {
    return /^-?(0|[1-9][0-9]*)(\.[0-9]+)?$/.test(text) ? Number(text) : text;
  }
  if (property.type === 'boolean') return text === 'true' || text === 'false' ? text === 'true' : text;
  // A choice may contain texts, such as the name of a preset.
  const isText = Array.isArray(property.anyOf) && !/^\s*[[{]/.test(text);
  return isText ? text : parsed(name, text);
}

/** Parses a nested value. Names that occur twice or reach a prototype are refused, as in JSON bodies. */
function parsed(name: string, text: string): unknown {
  if (measure(Buffer.from(text)).depth > maxDepth)
    throw invalid(name, `is nested deeper than ${maxDepth} levels`);
  const value = parsedSafely(name, text);
  const twice = findDuplicateName(text);
  if (twice) throw invalid([name, ...twice], 'occurs more than once');
  return value;
}

function parsedSafely(name: string, text: string): unknown {
  try {
    return JSON.parse(text, (key, value) => {
      if (key === '__proto__') throw invalid(name, 'must not hold a field named __proto__');
      return value;
    });
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw invalid(name, 'must be JSON');
  }
}

const invalid = (path: string | readonly string[], detail: string) =>
  new AppError('validation_failed', {
    detail: 'Correct the fields listed in errors.',
    issues: [
      {
        pointer: [path]
          .flat()
          .map((name) => `/${pointerToken(name)}`)
          .join(''),
        detail,
      },
    ],
  });
