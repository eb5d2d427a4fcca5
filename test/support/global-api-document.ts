import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { parse } from 'yaml';

declare module 'vitest' {
  interface ProvidedContext {
    /** JSON file with the content of openapi.yaml. */
    apiDocumentFile: string;
  }
}

/** Converts openapi.yaml to JSON once for a project, because parsing it takes over a second. Returns the function that removes it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const text = await readFile(new URL('../../openapi.yaml', import.meta.url), 'utf8');
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-api-document-'));
  const file = join(folder, 'openapi.json');
  await writeFile(file, JSON.stringify(parse(text, { maxAliasCount: 0 })));
  project.provide('apiDocumentFile', file);
  return () => rm(folder, { recursive: true, force: true });
}
