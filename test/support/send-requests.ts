import type { FileRequest } from './request-files.ts';

/**
 * Sends requests of a file in sequence, with variables from the responses before.
 *
 * @returns the status of each by its name.
 */
export async function sendRequests(
  requests: readonly FileRequest[],
  given: Readonly<Record<string, string>>,
): Promise<Record<string, number>> {
  const variables = new Map(Object.entries(given));
  const filled = (text: string) =>
    text.replace(/\{\{([^}]+)\}\}/g, (_match, name: string) => {
      const value = variables.get(name);
      if (value === undefined) throw new Error(`the variable ${name} is not set`);
      return value;
    });
  const statuses: Record<string, number> = {};
  for (const { name, method, url, headers, body, variable } of requests) {
    const response = await fetch(filled(url), {
      method,
      headers: headers.map(([field, value]): [string, string] => [field, filled(value)]),
      ...(body === undefined ? {} : { body: typeof body === 'string' ? filled(body) : body }),
    });
    statuses[name] = response.status;
    // A stream of all events never ends.
    if (response.headers.get('content-type')?.startsWith('text/event-stream')) await response.body?.cancel();
    else if (variable && response.ok)
      variables.set(variable[0], String(fieldOf(await response.json(), variable[1])));
    else await response.arrayBuffer();
  }
  return statuses;
}

/** Returns a field by a path such as `data[0].id`. */
const fieldOf = (value: unknown, path: string): unknown =>
  path
    .split(/[.[\]]+/)
    .filter(Boolean)
    .reduce((each, key) => (each as Record<string, unknown> | undefined)?.[key], value);
