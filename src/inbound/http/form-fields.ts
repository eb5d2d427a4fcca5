import { AppError } from '../../domain/errors.ts';
import { pointerToken } from '../../domain/json-pointer.ts';
import { measure } from './json-body.ts';
import type { JsonSchema } from './json-schema.ts';

const maxDepth = 32;

/**
 * Converts the texts of a form to the types of a schema. A text that cannot be converted stays a text, which the validation
 * then refuses.
 *
 * @param resolve returns a named schema.
 */
export function typedFields(
  fields: ReadonlyMap<string, string>,
  schema: JsonSchema,
  resolve: (name: string) => JsonSchema | undefined,
): Record<string, unknown> {
  const properties = (schema.properties ?? {}) as Record<string, JsonSchema>;
  const body: Record<string, unknown> = Object.create(null);
  for (const [name, text] of fields) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    body[name] = property ? typed(name, text, { property, resolve }) : text;
  }
  return { ...body };
}

function typed(
  name: string,
  text: string,
  { property, resolve }: { property: JsonSchema; resolve: (name: string) => JsonSchema | undefined },
): unknown {
  const { $ref } = property;
  if (typeof $ref === 'string') {
    const named = resolve($ref.replace(/#$/, ''));
    return named ? typed(name, text, { property: named, resolve }) : text;
  }
  if (property.type === 'string') return text;
  if (property.type === 'integer' || property.type === 'number') {
    return /^-?(0|[1-9][0-9]*)(\.[0-9]+)?$/.test(text) ? Number(text) : text;
  }
  if (property.type === 'boolean') return text === 'true' || text === 'false' ? text === 'true' : text;
  // A choice may contain texts, such as the name of a preset.
  const isText = Array.isArray(property.anyOf) && !/^\s*[[{]/.test(text);
  return isText ? text : parsed(name, text);
}

/** Parses a nested value. Names that reach a prototype are refused, as in JSON bodies. */
function parsed(name: string, text: string): unknown {
  if (measure(Buffer.from(text)).depth > maxDepth)
    throw invalid(name, `is nested deeper than ${maxDepth} levels`);
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

const invalid = (name: string, detail: string) =>
  new AppError('validation_failed', {
    detail: 'Correct the fields listed in errors.',
    issues: [{ pointer: `/${pointerToken(name)}`, detail }],
  });
