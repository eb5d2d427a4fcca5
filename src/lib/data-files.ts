import { readFileSync } from 'node:fs';

/** Reads a JSON file that comes with the program, from `src/data` or its copy in `dist/data`. */
export function readBuiltIn(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../data/${name}`, import.meta.url), 'utf8'));
}

/** Reads a JSON file that an operator named. @throws Error naming the file. */
export function readOperatorFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path} cannot be read: ${(error as Error).message}`);
  }
}
