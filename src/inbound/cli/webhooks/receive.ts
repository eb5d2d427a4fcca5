import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WebhookEndpointRequest } from '../../../../clients/typescript/src/index.ts';
import { objectionToWebhook } from '../../../lib/crypto/verify-webhook.ts';
import { describeListenError } from '../../../lib/listen-error.ts';
import type { CliContext } from '../context.ts';
import { refusalCode } from '../describe-failure.ts';
import { printableLine } from '../printable.ts';
import { openClient } from '../service-client.ts';
import { listenerDescription, removeDeadListeners } from './listeners.ts';
import { untilStopped } from './until-stopped.ts';

export interface ReceiveOptions {
  readonly port: number;
  readonly events: readonly string[];
  readonly secret?: string;
  readonly answer: number;
  readonly json?: boolean;
}

const maxBodyBytes = 1_048_576;

/** Registers an endpoint on this machine, verifies and prints its deliveries, and removes it at the end. */
export async function receiveWebhooks(context: CliContext, options: ReceiveOptions): Promise<void> {
  const registration: { secret?: string } = options.secret ? { secret: options.secret } : {};
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
      if (body.length > maxBodyBytes) request.destroy();
    });
    request.on('end', () => {
      response.writeHead(options.answer).end();
      context.print(
        lineFor({ headers: request.headers, body }, registration.secret ?? '', options.json ?? false),
      );
    });
  });
  await listenOn(server, options.port);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  const remove = options.secret
    ? async () => {}
    : await register(context, { url, events: options.events }, registration).catch((error) => {
        stop();
        throw error;
      });
  context.printError(`Listening on ${url}. Ctrl-C ends it.`);
  await untilStopped();
  stop();
  await remove();
}

/** @throws Error with the address and the remedy if the port is unavailable. */
async function listenOn(server: Server, port: number): Promise<void> {
  const host = '127.0.0.1';
  server.listen(port, host);
  await once(server, 'listening').catch((error: unknown) => {
    throw describeListenError(error, { host, port }, { host: 'the host', port: '--port' });
  });
}

/** Registers an endpoint for this machine. @returns a function that removes it. */
async function register(
  context: CliContext,
  { url, events }: { url: string; events: readonly string[] },
  registration: { secret?: string },
): Promise<() => Promise<void>> {
  const { client } = await openClient(context);
  const { createWebhookEndpoint, removeWebhookEndpoint } = await import(
    '../../../../clients/typescript/src/generated/index.ts'
  );
  await removeDeadListeners(client);
  const body = { url, events, description: listenerDescription } as WebhookEndpointRequest;
  const { data: created } = await createWebhookEndpoint({ client, body, throwOnError: true });
  // Only a repeated request with an idempotency key gets no secret.
  if ('secret' in created) registration.secret = created.secret;
  return async () => {
    const path = { id: created.id };
    await removeWebhookEndpoint({ client, path, throwOnError: true }).catch((error: unknown) => {
      // Another client removed it.
      if (refusalCode(error) !== 'not_found') throw error;
    });
  };
}

function lineFor(
  { headers, body }: { headers: IncomingHttpHeaders; body: string },
  secret: string,
  asJson: boolean,
): string {
  const header = (name: string) => (typeof headers[name] === 'string' ? headers[name] : undefined);
  const id = header('webhook-id');
  const objection = objectionToWebhook(
    { id, timestamp: header('webhook-timestamp'), signature: header('webhook-signature') },
    body,
    { secret, nowMs: Date.now() },
  );
  const event = parsed(body);
  if (asJson) return JSON.stringify({ id: id ?? null, genuine: objection === null, objection, event });
  const verdict = objection === null ? 'genuine' : `NOT GENUINE: ${objection}`;
  const parts = [event?.timestamp, event?.type, event?.data?.id, event?.data?.status, id, verdict];
  // Every program of this machine and every page in its browser can send a body here.
  return printableLine(parts.filter((part) => part !== undefined).join('  '));
}

interface AnyEvent {
  type?: string;
  timestamp?: string;
  data?: { id?: string; status?: string };
}

function parsed(body: string): AnyEvent | null {
  try {
    return JSON.parse(body) as AnyEvent;
  } catch {
    return null;
  }
}
