import { readFileSync } from 'node:fs';
import type { z } from 'zod';

/** Reads a JSON file that comes with the program, from `src/data` or its copy in `dist/data`. */
export function readBuiltIn(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../data/${name}`, import.meta.url), 'utf8'));
}

/** Reads and checks a JSON file that an operator named. @throws Error naming the file, and every fault with its place. */
export function readOperatorFile<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(parseJson(path, readText(path)));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `at /${issue.path.join('/')}: ${issue.message}`);
  throw new Error(`${path} has to be corrected ${faults.join('; ')}`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${path} cannot be read, name a file that can: ${(error as Error).message}`);
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    throw new Error(
      `${path} has to be corrected, it is not JSON: ${oneLine(message)}${placeOf(message, text)}`,
    );
  }
}

/** Where the parser stopped, in lines and columns as editors count them; empty where it showed the text there instead. */
function placeOf(message: string, text: string): string {
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position === undefined) return '';
  const before = text.slice(0, Number(position)).split('\n');
  return `, line ${before.length} column ${(before.at(-1) ?? '').length + 1}`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
