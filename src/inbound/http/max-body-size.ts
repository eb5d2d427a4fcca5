import { z } from 'zod';
import { ImageRequestBody, maxProviderOptionsBytes } from '../../domain/image-request.ts';
import type { JsonSchema } from './json-schema.ts';

/** A character outside the first plane, written as `\ud83d\ude00`: so does json.dumps of Python unless told otherwise. */
const escapedCharacterBytes = 12;
/** One byte of JSON, written as `\u0061`. */
const escapedByteBytes = 6;
const longestNumberBytes = 20;
/** For line breaks and indentation. */
const whitespaceBytes = 16 * 1024;

/** Most bytes of an order whose fields keep to their limits, though every character of it is escaped. */
export function maxBodyBytes(): number {
  const schema = z.toJSONSchema(ImageRequestBody, { io: 'input' });
  return largestJson(schema) + maxProviderOptionsBytes * escapedByteBytes + whitespaceBytes;
}

/** Of what a schema does not limit, as the values of provider options, it counts nothing. */
function largestJson(schema: JsonSchema): number {
  const { anyOf, enum: values, type } = schema as { anyOf?: JsonSchema[]; enum?: string[]; type?: string };
  if (anyOf) return Math.max(...anyOf.map(largestJson));
  if (values) return Math.max(...values.map((value) => largestText(value.length)));
  if (type === 'string') return largestText(Number(schema.maxLength));
  if (type === 'array') return Number(schema.maxItems) * withComma(schema.items as JsonSchema);
  if (type === 'object') return largestObject(schema);
  return type === undefined ? 0 : longestNumberBytes;
}

function largestObject(schema: JsonSchema): number {
  const { properties, propertyNames, additionalProperties } = schema as Record<string, JsonSchema>;
  if (!properties) {
    const entryBytes = largestJson({ ...propertyNames }) + 1 + withComma({ ...additionalProperties });
    return Number(schema.maxProperties) * entryBytes + 2;
  }
  const entries = Object.entries(properties) as [string, JsonSchema][];
  return entries.reduce((sum, [name, value]) => sum + largestText(name.length) + 1 + withComma(value), 2);
}

const withComma = (schema: JsonSchema) => largestJson(schema) + 1;
const largestText = (characters: number) => characters * escapedCharacterBytes + 2;
