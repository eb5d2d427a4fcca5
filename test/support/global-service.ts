import type { TestProject } from 'vitest/node';
import { compileService } from './compile-service.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of the compiled service that the test files of a project share. */
    serviceFolder: string;
  }
}

/** Compiles the service once for a project. Returns the function that removes it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const service = await compileService();
  project.provide('serviceFolder', service.folder);
  return service.remove;
}
