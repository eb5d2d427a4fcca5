import { z } from 'zod';
import { isKnown, type Open } from './open.ts';

/**
 * Returns the schema of a stored object. Unknown fields, which another release wrote, survive parsing and writing the
 * object again.
 */
export function storedObject<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strip> {
  // The static type names the known fields only, so that a typo remains a type error.
  return z.looseObject(shape) as unknown as z.ZodObject<Shape, z.core.$strip>;
}

/** Returns the schema of a stored value of a closed list. Other texts are read unchanged. */
export function openText<Known extends string>(): z.ZodType<Open<Known>> {
  return z.string();
}

/** Returns a value if it is in the list, otherwise the fallback for values of another release. */
export function knownOr<Known extends string, Fallback>(
  known: readonly Known[],
  value: string,
  fallback: Fallback,
): Known | Fallback {
  return isKnown(known, value) ? value : fallback;
}
