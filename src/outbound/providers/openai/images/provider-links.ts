import type { FetchLink } from '../../../../domain/ports.ts';
import { getBytes } from '../../../../lib/get-bytes.ts';
import type { OpenAIConnection } from '../client/openai-connection.ts';

/**
 * Creates a function that fetches the links of a server. A link to the server itself uses the connection of its calls: the
 * operator configured this address, and it may be private. Any other link goes through the guard.
 *
 * @param fetchForeign fetches links to other servers. Absent: they are refused.
 */
export function createProviderLinks(
  { client, agent: dispatcher }: OpenAIConnection,
  fetchForeign: FetchLink | undefined,
): FetchLink {
  const { origin } = new URL(client.baseURL);
  return async (link, limits) => {
    if (new URL(link).origin === origin) return getBytes(link, { dispatcher, ...limits });
    if (!fetchForeign) throw new Error('links to other servers are not fetched');
    return fetchForeign(link, limits);
  };
}
