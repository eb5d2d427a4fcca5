import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { onTestFinished } from 'vitest';
import { testKeys } from './service-environment.ts';

/** How a client finds the revision of the protocol: by the handshake of 2025, or by any that the server offers. */
export type Negotiation = 'legacy' | 'auto';

/** Connects an official client to a running service. It is closed at the end of the test. */
export async function connectMcp(
  { url }: { readonly url: string },
  { negotiation = 'auto', key = testKeys.acme }: { negotiation?: Negotiation; key?: string } = {},
): Promise<Client> {
  const options = negotiation === 'auto' ? { versionNegotiation: { mode: negotiation } } : {};
  const client = new Client({ name: 'test', version: '1.0.0' }, options);
  const headers = { authorization: `Bearer ${key}` };
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', url), { requestInit: { headers } }));
  onTestFinished(() => client.close());
  return client;
}
