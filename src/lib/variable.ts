import { z } from 'zod';

/**
 * Describes environment variables: their values, defaults and documentation. The configuration, the storages and the
 * providers each declare their own variables. Only `config` reads them.
 */

/** One environment variable. Every variable can also be given as `NAME_FILE`, the path of a file with the value. */
export interface Variable<Schema extends z.ZodType = z.ZodType> {
  /** Heading in docs/configuration.md and .env.example. */
  readonly section: string;
  readonly schema: Schema;
  /** Text used if the variable is absent. Without a fallback the value is undefined. */
  readonly fallback?: string;
  /** Text used by `darkroom dev` instead of `fallback`. */
  readonly devFallback?: string;
  readonly secret?: boolean;
  /** Second name, which is read if the first is absent. Only for names that other programs share. */
  readonly otherName?: string;
  /** True if the system sets the variable, so a `.env` file should not. */
  readonly inherited?: boolean;
  /** Documentation, one or two sentences. */
  readonly about: string;
}

export type VariableSet = Readonly<Record<string, Variable>>;

/** Parsed values of a set of variables. */
export type ValuesOf<Set extends VariableSet> = {
  readonly [Name in keyof Set]: Set[Name] extends { fallback: string }
    ? z.output<Set[Name]['schema']>
    : z.output<Set[Name]['schema']> | undefined;
};

/** Returns the variable with its literal types. */
export const defineVariable = <const V extends Variable>(variable: V): V => variable;

export const text = z.string().min(1);

/**
 * Accepts a key. Quotes, white space, written line breaks and characters outside ASCII come from a faulty file, shell
 * command or text editor. No server accepts them, and a header cannot carry all of them.
 */
export const credential = text
  .regex(/^(?:(?!['"`])[\x21-\x7e])+$/, 'must be a key without spaces, quotes and characters outside ASCII')
  .regex(/(?<!\\[nrt])$/, 'must not end with a written line break');

/** Accepts a text that `read` accepts. Shows the message of an error that `read` throws, so it must contain no secret. */
export const readBy = (read: (value: string) => unknown) =>
  text.superRefine((value, context) => {
    try {
      read(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
    }
  });

export const truth = z
  .enum(['true', 'false', '1', '0', 'yes', 'no'], { error: 'must be true or false' })
  .transform((value) => value === 'true' || value === '1' || value === 'yes');

/** Accepts a whole number from `min` to `max`. */
export const whole = (min: number, max: number) => {
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^[0-9]+$/, message)
    .transform(Number)
    .pipe(z.number().min(min, message).max(max, message));
};

/** Accepts an address. A backslash comes from a written line break, and the parser would turn it into a slash. */
export const url = z
  .url({ protocol: /^https?$/, error: 'must be an http or https address' })
  .regex(/^[^\\#]*$/, 'must be an address without a backslash and without a part after #');

/** Accepts an address like `url` that callers see, as part of a link. */
export const shownUrl = url.refine(
  (value) => !/^[^/]*\/\/[^/?]*@/.test(value),
  'must be an address without a user and a password, because callers see it',
);

/** Accepts items between commas. Spaces around items are removed. */
export const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
