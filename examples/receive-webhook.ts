/**
 * Receives webhooks and verifies that they come from Darkroom.
 *
 *   WEBHOOK_SECRET=$(node --import tsx src/main.ts keys webhook-secret --tenant NAME) PORT=3000 node --import tsx examples/receive-webhook.ts
 */
import { createServer, type IncomingMessage } from 'node:http';
import { Webhook } from 'standardwebhooks';

const { WEBHOOK_SECRET, PORT = '3000' } = process.env;
if (!WEBHOOK_SECRET) throw new Error('Set WEBHOOK_SECRET to the secret of your tenant: whsec_...');
const webhook = new Webhook(WEBHOOK_SECRET);

/** The members of an event that this program uses. */
interface Event {
  type: string;
  timestamp: string;
  data: { id?: string; images?: { url: string }[] };
}

/** Ids of processed events, because a delivery may arrive twice. Store them in the database transaction of the work. */
const seen = new Set<string>();

const maxBodyBytes = 1024 * 1024;

/** Returns the raw body. The signature covers its bytes, so the body must not be parsed and serialized again. */
async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > maxBodyBytes) throw new Error('The body is too large.');
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

const server = createServer(async (request, response) => {
  let event: Event;
  try {
    // Checks the signature in constant time, and that the attempt is not older than five minutes.
    event = webhook.verify(await bodyOf(request), request.headers as Record<string, string>) as Event;
  } catch (error) {
    console.error(`refused: ${(error as Error).message}`);
    response.writeHead(400).end();
    return;
  }
  // Respond first and work later, because a response after 15 seconds counts as a failure.
  response.writeHead(204).end();
  const id = String(request.headers['webhook-id']);
  if (seen.has(id)) return;
  seen.add(id);
  const links = (event.data.images ?? []).map(({ url }) => ` ${url}`).join('');
  console.log(`${event.type} ${event.data.id ?? ''}${links}`);
});

server.listen(Number(PORT), () => {
  const address = server.address();
  console.log(`listening on port ${typeof address === 'object' ? address?.port : address}`);
});

process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
