import { readFileSync } from 'node:fs';
import { projectRoot } from './project-root.ts';

/** Returns the version in package.json. */
export function packageVersion(): string {
  const text = readFileSync(new URL('package.json', projectRoot), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
