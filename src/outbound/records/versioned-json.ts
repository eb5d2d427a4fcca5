import type { z } from 'zod';
import { AppError } from '../../domain/errors.ts';

/**
 * A record as text: its version, so that a script can compare it without reading JSON, then the rest as JSON.
 */
export function encodeVersioned({ version, ...rest }: { readonly version: number }): string {
  return `${version} ${JSON.stringify(rest)}`;
}

/**
 * Reads a record back and checks its shape: Redis is shared, and another release may have written it.
 *
 * @throws AppError `internal` when it is not a record of ours.
 */
export function decodeVersioned<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> {
  const space = text.indexOf(' ');
  try {
    return schema.parse({ ...JSON.parse(text.slice(space + 1)), version: Number(text.slice(0, space)) });
  } catch (error) {
    throw new AppError('internal', { detail: 'A record cannot be read.', cause: error });
  }
}
