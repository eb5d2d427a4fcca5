import type { Caller } from './caller.ts';

/** One operation of the API document. */
export interface Operation {
  readonly method: 'get' | 'post' | 'delete' | 'put' | 'patch';
  /** As documented, with `{id}`. */
  readonly path: string;
  readonly operationId: string;
  /** Whether it needs a key. */
  readonly keyed: boolean;
}

interface Document {
  paths: Record<string, Record<string, { operationId: string; security?: unknown[] }>>;
}

/** Every operation that a running service documents. */
export async function operationsOf(caller: Caller): Promise<Operation[]> {
  const { paths } = (await caller.get('/openapi.json').expect(200)).body as Document;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, security }]) => ({
      method: method as Operation['method'],
      path,
      operationId,
      keyed: (security ?? []).length > 0,
    })),
  );
}

/** The path of an operation with its parameters filled in. */
export function pathOf({ path }: Operation, id: string): string {
  return path.replace('{id}', id).replace('{index}', '0');
}
