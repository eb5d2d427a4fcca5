import { type Client, type Config, createClient, createConfig } from './generated/client/index.ts';

type Method = (options: never) => unknown;

/**
 * Creates the client of the generated functions. Each of them names its client by the option `client` and passes all options
 * to `Request`, where Deno expects a client of its own by that name. Therefore the methods drop the option.
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

const dropping = <M extends Method>(method: M): M =>
  (({ client: _, ...options }: { client?: Client }) => method(options as never)) as unknown as M;
