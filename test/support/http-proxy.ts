import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request that passed the proxy. */
export interface ProxiedRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Status that the proxy received from the service. Undefined until then, or if the proxy did not wait. */
  status: number | undefined;
}

/**
 * Fault of one exchange. `cut-before-headers`: both connections break while the service works. `cut-after-headers`: both
 * break behind the first bytes of the body. `gateway-timeout`: the proxy sends 524, as Cloudflare does after 100 s, and
 * closes its connection to the service.
 */
export type ExchangeFault = 'cut-before-headers' | 'cut-after-headers' | 'gateway-timeout';

/** An HTTP proxy on loopback that records requests and breaks exchanges on request. */
export interface HttpProxy {
  readonly url: string;
  readonly seen: readonly ProxiedRequest[];
  /** Breaks the next request. Faults before the headers act when `due` resolves. */
  breakNext(fault: ExchangeFault, due?: () => Promise<unknown>): void;
  close(): Promise<void>;
}

interface Plan {
  readonly fault: ExchangeFault;
  readonly due: () => Promise<unknown>;
}

const firstBytes = 64;

/** Starts a proxy in front of a service. A request is forwarded when its `target` is known. */
export async function startHttpProxy(target: () => string | Promise<string>): Promise<HttpProxy> {
  const seen: ProxiedRequest[] = [];
  const plans: Plan[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const entry: ProxiedRequest = { path: incoming.url ?? '', headers: incoming.headers, status: undefined };
    seen.push(entry);
    const plan = plans.shift();
    forward({ target: await target(), incoming, outgoing, entry, plan });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    breakNext: (fault, due = () => Promise.resolve()) => void plans.push({ fault, due }),
    close,
  };
}

interface Exchange {
  readonly target: string;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly entry: ProxiedRequest;
  readonly plan: Plan | undefined;
}

function forward({ target, incoming, outgoing, entry, plan }: Exchange): void {
  const { method, headers, url = '/' } = incoming;
  const upstream = request(new URL(url, target), { method: method ?? 'GET', headers });
  upstream.on('error', () => outgoing.destroy());
  outgoing.on('close', () => upstream.destroy());
  incoming.pipe(upstream);
  upstream.on('response', (response) => {
    entry.status = response.statusCode;
    response.on('error', () => outgoing.destroy());
    outgoing.writeHead(response.statusCode ?? 502, response.headers);
    if (plan?.fault === 'cut-after-headers') {
      response.once('data', (part: Buffer) =>
        outgoing.write(part.subarray(0, firstBytes), () => {
          // A short response has arrived completely, and only a reset shows the service that the client has none of it.
          upstream.socket?.resetAndDestroy();
          outgoing.destroy();
        }),
      );
    } else response.pipe(outgoing);
  });
  if (!plan || plan.fault === 'cut-after-headers') return;
  void plan.due().then(() => {
    // A stream began before the fault, so its status is already sent.
    if (plan.fault === 'cut-before-headers' || outgoing.headersSent) return void outgoing.destroy();
    outgoing.writeHead(524, { 'content-type': 'text/html' }).end('<title>524: A timeout occurred</title>');
  });
}
