import { once } from 'node:events';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import type { Client } from '../../../../clients/typescript/src/generated/client/index.ts';
import { systemCode } from '../../../lib/system-code.ts';

/** Description of the endpoints of listeners on this machine. */
export const listenerDescription = `darkroom webhooks listen on ${hostname().slice(0, 64)}`;

/** Removes the endpoints of listeners of this machine that ended without removing them, for example by SIGKILL. */
export async function removeDeadListeners(client: Client): Promise<void> {
  const { listWebhookEndpoints, removeWebhookEndpoint } = await import(
    '../../../../clients/typescript/src/generated/index.ts'
  );
  const { data: listed } = await listWebhookEndpoints({ client, throwOnError: true });
  const own = listed.data.filter(({ description }) => description === listenerDescription);
  // An endpoint that cannot be removed is no reason to refuse the new one.
  await Promise.allSettled(
    own.map(async ({ id, url }) => {
      if (await isRefused(new URL(url)))
        await removeWebhookEndpoint({ client, path: { id }, throwOnError: true });
    }),
  );
}

/** Whether no program listens at an address. */
async function isRefused({ hostname: host, port }: URL): Promise<boolean> {
  const socket = connect({ host, port: Number(port) });
  try {
    await once(socket, 'connect');
    return false;
  } catch (error) {
    return systemCode(error) === 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}
