import type { FastifyInstance } from 'fastify';
import { hostInUrl } from '../../lib/host-in-url.ts';

/** Why an address cannot be listened on and what to do, by the code of the error. */
const remedies: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there. End it, or set PORT to a free port',
  EACCES: 'this user may not. Set PORT to 1024 or above',
  EADDRNOTAVAIL: 'this machine has no such address. Set HOST to one that it has',
  ENOTFOUND: 'there is no such host. Set HOST to an address of this machine',
};

/**
 * Listens where HOST and PORT say.
 *
 * @returns the address, for people.
 * @throws Error saying which address cannot be had, and what to do.
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

/** How a person on this machine reaches a listening address. */
function addressFor(host: string, port: number): string {
  const everywhere = host === '0.0.0.0' || host === '::' || host === '127.0.0.1';
  return `http://${everywhere ? 'localhost' : hostInUrl(host)}:${port}`;
}
