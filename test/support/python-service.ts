import { afterAll, beforeAll } from 'vitest';
import { hasPython, type PythonVerbs, startPythonVerbs } from './python-client.ts';
import { startService, type TestService } from './service.ts';

/**
 * Starts a service and a Python process before the tests of a file, if Python is installed, and ends them afterwards.
 *
 * @returns both, for use in tests.
 */
export function usePython(): { readonly service: TestService; readonly verbs: PythonVerbs } {
  let service: TestService | undefined;
  let verbs: PythonVerbs | undefined;
  beforeAll(async () => {
    if (!hasPython) return;
    service = await startService();
    verbs = startPythonVerbs();
  });
  afterAll(async () => {
    await verbs?.stop();
    await service?.close();
  });
  return {
    get service() {
      return started(service);
    },
    get verbs() {
      return started(verbs);
    },
  };
}

function started<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('Python is not installed, or no test runs');
  return part;
}
