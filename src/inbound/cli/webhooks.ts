import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Command, Option } from 'commander';
import type { DeliveryView, EndpointView } from '../../domain/webhook-view.ts';
import { objectionToWebhook } from '../../lib/crypto/verify-webhook.ts';
import { createApiClient } from './api-client.ts';
import { Refusal } from './call-errors.ts';
import type { CliContext } from './context.ts';
import { wholeNumber } from './numbers.ts';

interface ListenOptions {
  port: number;
  events: string[];
  secret?: string;
  answer: number;
  json?: boolean;
}

interface ReplayOptions {
  endpoint?: string;
  since?: string;
  json?: boolean;
}

const maxBodyBytes = 1_048_576;

/** Adds `darkroom webhooks listen|replay`. */
export function addWebhooks(program: Command, context: CliContext): void {
  const webhooks = program
    .command('webhooks')
    .description('receive webhooks on this machine, redeliver them');

  webhooks
    .command('listen')
    .description(
      'receive, verify and print webhooks: registers an endpoint on this machine with a running service (DARKROOM_URL, DARKROOM_API_KEY) and removes it at the end',
    )
    .option('--port <port>', 'port to listen on; 0 is any free port', wholeNumber(0, 65_535), 0)
    .addOption(
      new Option('--events <list>', 'event types, comma-separated')
        .argParser((text) => text.split(','))
        .default(['*'], '*, all types'),
    )
    .option('--secret <secret>', 'register no endpoint; verify deliveries with this secret')
    .option('--answer <status>', 'status of the responses, to try failures', wholeNumber(200, 599), 204)
    .option('--json', 'print one JSON object for each delivery')
    .action((options: ListenOptions) => listen(context, options));

  webhooks
    .command('replay [delivery]')
    .description('redeliver one delivery, or all that an endpoint missed since a time')
    .option('--endpoint <id>', 'the endpoint, whk_...')
    .option('--since <time>', 'RFC 3339, for example 2026-11-24T09:00:00Z')
    .option('--json', 'print JSON')
    .action((delivery: string | undefined, options: ReplayOptions) => replay(context, delivery, options));
}

async function listen(context: CliContext, options: ListenOptions): Promise<void> {
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
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
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
  await new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  stop();
  await remove();
}

/** Registers an endpoint for this machine. @returns a function that removes it. */
async function register(
  context: CliContext,
  { url, events }: { url: string; events: string[] },
  registration: { secret?: string },
): Promise<() => Promise<void>> {
  const client = createApiClient({ ...context.client(), say: context.printError });
  const description = 'darkroom webhooks listen';
  const created = await client.request<EndpointView & { secret: string }>('POST', '/webhooks/endpoints', {
    url,
    events,
    description,
  });
  registration.secret = created.secret;
  return async () => {
    await client.request('DELETE', `/webhooks/endpoints/${created.id}`).catch((error) => {
      // Another client removed it, or the response to a first try was lost.
      if (!(error instanceof Refusal) || error.code !== 'not_found') throw error;
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
  return [event?.timestamp, event?.type, event?.data?.id, event?.data?.status, id, verdict]
    .filter((part) => part !== undefined)
    .join('  ');
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

async function replay(
  context: CliContext,
  delivery: string | undefined,
  { endpoint, since, json }: ReplayOptions,
): Promise<void> {
  const client = createApiClient({ ...context.client(), say: context.printError });
  if (delivery !== undefined && endpoint === undefined && since === undefined) {
    const path = `/webhooks/deliveries/${encodeURIComponent(delivery)}/redeliver`;
    const again = await client.request<DeliveryView>('POST', path);
    return context.print(json ? JSON.stringify(again) : `${again.id} will be redelivered to ${again.url}`);
  }
  if (delivery !== undefined || endpoint === undefined || since === undefined) {
    throw new Error('Pass either a delivery, or --endpoint and --since.');
  }
  const path = `/webhooks/endpoints/${encodeURIComponent(endpoint)}/recover`;
  const result = await client.request<{ deliveries: number; since: string }>('POST', path, { since });
  context.print(
    json
      ? JSON.stringify(result)
      : `${result.deliveries} deliveries of events since ${result.since} will be redelivered`,
  );
}
