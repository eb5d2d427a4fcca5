import { type Client, type Config, createClient, createConfig } from './generated/client/index.ts';

type Method = (options: never) => unknown;

/**
 * Creates the client of the generated functions. Each of them names its client by the option `client` and passes all options
 * to `Request`, where Deno expects a client of its own by that name. Therefore the methods drop the option. They refuse ids
 * that would select another path, with a TypeError.
 */
export function createGeneratedClient(config: Config): Client {
  const client = createClient(createConfig(config));
  const { get, post, put, patch, delete: remove, sse } = client;
  return {
    ...client,
    ...{ get: dropping(get), post: dropping(post), put: dropping(put), patch: dropping(patch) },
    delete: dropping(remove),
    sse: { ...sse, get: dropping(sse.get) },
  };
}

type CallOptions = { client?: Client; path?: Readonly<Record<string, unknown>> };

const dropping = <M extends Method>(method: M): M =>
  (async ({ client: _, ...options }: CallOptions) => {
    for (const [name, value] of Object.entries(options.path ?? {})) checkSegment(name, value);
    return method(options as never);
  }) as unknown as M;

/**
 * Refuses a segment of a path that would select another path: an empty id that of the list, and dots that of a folder.
 *
 * @throws TypeError
 */
export function checkSegment(name: string, value: unknown): void {
  if (typeof value === 'number' || (typeof value === 'string' && !['', '.', '..'].includes(value))) return;
  throw new TypeError(`${name} must be an id, not ${JSON.stringify(value)}.`);
}
