import type { Child } from '../harness/child.ts';
import { operatorKey, tenant } from './darkroom.ts';

/**
 * Creates an API key in the store of a service.
 *
 * @param rules limits and budgets of the key, as `POST /keys` takes them.
 * @returns its id, and the `Authorization` header of its requests.
 */
export async function createManagedKey(
  api: Child,
  rules: object,
): Promise<{ id: string; authorization: string }> {
  const response = await fetch(`${api.url}/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operatorKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ tenant, scopes: ['images:read', 'images:write'], ...rules }),
  });
  const body = await response.text();
  if (response.status !== 201) throw new Error(`a key was not created: ${response.status} ${body}`);
  const { id, key } = JSON.parse(body) as { id: string; key: string };
  return { id, authorization: `Bearer ${key}` };
}
