import type { FastifyInstance } from 'fastify';
import { hostInUrl } from '../../lib/host-in-url.ts';

/** Reason and remedy of a failed listen, by error code. */
const remedies: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program uses this port. Stop it, or set PORT to a free port',
  EACCES: 'this user lacks the permission. Set PORT to 1024 or above',
  EADDRNOTAVAIL: 'this machine has no such address. Set HOST to an address of this machine',
  ENOTFOUND: 'there is no such host. Set HOST to an address of this machine',
};

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
    const remedy = remedies[(error as NodeJS.ErrnoException).code ?? ''];
    if (!remedy) throw error;
    throw new Error(`Cannot listen on ${hostInUrl(host)}:${port}: ${remedy}.`, { cause: error });
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
