import { readFileSync } from 'node:fs';
import type { z } from 'zod';

/** Reads a JSON file of the program, from `src/data` or its copy in `dist/src/data`. */
export function readBuiltIn(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../data/${name}`, import.meta.url), 'utf8'));
}

/** Reads and validates a JSON file of the operator. @throws Error with the file and the location of every fault. */
export function readOperatorFile<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(parseJson(path, readText(path)));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `at /${issue.path.join('/')}: ${issue.message}`);
  throw new Error(`${path} is not valid ${faults.join('; ')}`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw new Error(`${path} cannot be read: ${(error as Error).message}`);
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The message of the parser contains a part of the text, and a wrong file may contain secrets.
    throw new Error(`${path} is not valid JSON${positionOf((error as Error).message, text)}`);
  }
}

/** Returns the line and column at which the parser stopped, or an empty text if its message has no position. */
function positionOf(message: string, text: string): string {
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position === undefined) return '';
  const before = text.slice(0, Number(position)).split('\n');
  return `, line ${before.length} column ${(before.at(-1) ?? '').length + 1}`;
}
