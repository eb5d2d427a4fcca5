import type { z } from 'zod';
import { AppError } from '../../domain/errors.ts';

/**
 * Returns a record as plain JSON with its version as the first field. An operator can read the record in redis-cli. A script
 * can compare the version without parsing the rest, see `luaVersionOf`.
 */
export function encodeVersioned(record: { readonly version: number }): string {
  const text = JSON.stringify(record);
  // Most records have the field in front. Only the others need a copy.
  if (text.startsWith(`{"version":${record.version},`)) return text;
  // JSON omits undefined fields. Removing the field in another way costs several times as much.
  const rest = JSON.stringify({ ...record, version: undefined }).slice(1);
  return `{"version":${record.version}${rest === '}' ? '' : ','}${rest}`;
}

/** Lua function that returns the version of a record, or nil if the text is no record. The start of a record is enough. */
export const luaVersionOf = `
local function version_of(text) return string.match(text, '^{"version":(%d+)[,}]') end
`;
/** Returns the version of a record from its start, or `null` if the text is no record. */
export function versionOf(start: string): number | null {
  const version = /^{"version":(\d+)[,}]/.exec(start)?.[1];
  return version === undefined ? null : Number(version);
}

/** Length of the start of a record that always contains the version. */
export const versionLength = 32;

/**
 * Reads a record and checks it against its schema.
 *
 * @throws AppError `internal` if the text is not such a record.
 */
export function decodeVersioned<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new AppError('internal', { detail: 'A stored record cannot be read.', cause: error });
  }
}
