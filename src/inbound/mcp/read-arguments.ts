import type { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import { pointerToken } from '../../domain/json-pointer.ts';

/**
 * Checks the arguments of a tool.
 *
 * @throws AppError `validation_failed` that names every wrong argument
 */
export function readArguments<Arguments extends z.ZodObject>(
  schema: Arguments,
  args: unknown,
): z.infer<Arguments> {
  const parsed = schema.safeParse(args ?? {});
  if (parsed.success) return parsed.data;
  const known = Object.keys(schema.shape).join(', ');
  const issues = parsed.error.issues.map((issue) => ({
    pointer: issue.path.map((key) => `/${pointerToken(String(key))}`).join(''),
    detail:
      issue.code === 'unrecognized_keys' && issue.path.length === 0
        ? `contain unknown names: ${issue.keys.join(', ')}. Known names: ${known}.`
        : `is not valid. ${issue.message}.`,
  }));
  throw new AppError('validation_failed', { detail: 'The arguments are not valid.', issues });
}
