import { expect, it } from 'vitest';
import { z } from 'zod';
import { maxProviderOptionsBytes } from '../../../../src/domain/check-request-text.ts';
import { ImageRequestBody, ImageRequestFields } from '../../../../src/domain/image-request.ts';
import type { JsonSchema } from '../../../../src/inbound/http/json-schema.ts';
import { maxBodyBytes, maxRequestTextBytes } from '../../../../src/inbound/http/max-body-size.ts';

/** Character outside the basic plane, written as `\ud83d\ude00`. Python's json.dumps does so by default. */
const escapedCharacterBytes = 12;
/** One byte of JSON, written as `\u0061`. */
const escapedByteBytes = 6;
const longestNumberBytes = 20;
/** Factor for line breaks and indentation. */
const whitespaceBytes = 16 * 1024;

it.each([
  ['without inputs', ImageRequestFields, maxBodyBytes],
  ['with inputs but without their data', ImageRequestBody, maxRequestTextBytes],
])('admits every valid request %s, even if every character is escaped', (_, request, maxBytes) => {
  const schema = z.toJSONSchema(request, { io: 'input' });
  const largest = largestJson(schema) + maxProviderOptionsBytes * escapedByteBytes + whitespaceBytes;
  expect(largest).toBeGreaterThan(500_000);
  expect(maxBytes).toBeGreaterThanOrEqual(largest);
});

/** Returns the size of the largest JSON of a schema. Values without a limit, such as provider options, count as 0. */
function largestJson(schema: JsonSchema): number {
  const { anyOf, enum: values, type } = schema as { anyOf?: JsonSchema[]; enum?: string[]; type?: string };
  if (anyOf) return Math.max(...anyOf.map(largestJson));
  if (values) return Math.max(...values.map((value) => largestText(value.length)));
  if (type === 'string') return largestText(Number(schema.maxLength ?? 0));
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
