import type { FastifyInstance } from 'fastify';
import { hostInUrl } from '../../lib/host-in-url.ts';
import { describeListenError } from '../../lib/listen-error.ts';

/**
 * Listens on HOST and PORT.
 *
 * @returns the address, for people.
 * @throws Error with the address and the remedy if the address is unavailable.
 */
export async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw describeListenError(error, { host, port }, { host: 'HOST', port: 'PORT' });
  }
  return addressFor(host, portOf(app) ?? port);
}

function portOf(app: FastifyInstance): number | undefined {
  const bound = app.server.address();
  return typeof bound === 'object' ? bound?.port : undefined;
}

/** Returns the URL under which a person on this machine reaches the service. */
function addressFor(host: string, port: number): string {
  const everywhere = host === '0.0.0.0' || host === '::' || host === '127.0.0.1';
  return `http://${everywhere ? 'localhost' : hostInUrl(host)}:${port}`;
}
