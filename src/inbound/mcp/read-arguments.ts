import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import { pointerToken } from '../../domain/json-pointer.ts';
import { createAjv } from '../http/validation.ts';
import { fieldIssuesOf } from '../http/validation-issues.ts';

type Validator = ReturnType<ReturnType<typeof createAjv>['compile']>;

let ajv: ReturnType<typeof createAjv> | undefined;
const validators = new WeakMap<z.ZodObject, Validator>();

/** Returns the JSON Schema of the arguments of a tool, as clients read it and as `readArguments` applies it. */
export const argumentsSchemaOf = (schema: z.ZodObject) => z.toJSONSchema(schema, { io: 'input' });

/**
 * Checks the arguments of a tool with the validator of the HTTP API. zod would ignore the keywords of its metadata, such as
 * the maximum number of metadata pairs.
 *
 * @throws AppError `validation_failed` that names every wrong argument
 */
export function readArguments<Arguments extends z.ZodObject>(
  schema: Arguments,
  args: unknown = {},
): z.infer<Arguments> {
  const validate = validatorOf(schema);
  if (validate(args)) return args as z.infer<Arguments>;
  const hints = hintsOf(schema, args);
  const issues = fieldIssuesOf(validate.errors ?? [], 'body').map(({ pointer, detail }) => ({
    pointer,
    detail: hints.get(pointer) ?? detail,
  }));
  const detail = `The arguments are not valid. Known names: ${Object.keys(schema.shape).join(', ')}.`;
  throw new AppError('validation_failed', { detail, issues });
}

function validatorOf(schema: z.ZodObject): Validator {
  const known = validators.get(schema);
  if (known) return known;
  ajv ??= createAjv();
  const compiled = ajv.compile(argumentsSchemaOf(schema));
  validators.set(schema, compiled);
  return compiled;
}

/** Returns the messages of patterns, which an agent understands better than the pattern. */
function hintsOf(schema: z.ZodObject, args: unknown): Map<string, string> {
  const issues = schema.safeParse(args).error?.issues ?? [];
  return new Map(
    issues
      .filter(({ code }) => code === 'invalid_format')
      .map(({ path, message }) => [path.map((key) => `/${pointerToken(String(key))}`).join(''), message]),
  );
}
