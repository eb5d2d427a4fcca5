import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';

export interface Received {
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Destination {
  readonly port: number;
  readonly requests: Received[];
  /** Number of TCP connections accepted so far. */
  connections(): number;
  close(): Promise<void>;
}

interface EndpointServerOptions {
  readonly host?: string;
  readonly port?: number;
  /** Enables TLS with this certificate of `test/support/certificates`. */
  readonly certificate?: 'valid' | 'expired' | 'self-signed';
  /** Called with the server name that a client sends in its TLS handshake. */
  readonly onServerName?: (name: string) => void;
}

/** Reads a test certificate or key. */
export function readCertificate(name: string): string {
  return readFileSync(new URL(`certificates/${name}.pem`, import.meta.url), 'utf8');
}

/** Starts an HTTP endpoint on loopback that records its requests. Default response: 200 without a body. */
export async function startEndpointServer(
  respond: RequestListener = (_request, response) => void response.end(),
  options: EndpointServerOptions = {},
): Promise<Destination> {
  const requests: Received[] = [];
  const listener: RequestListener = async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const { url: path = '', method = '', headers } = request;
    requests.push({ path, method, headers, body });
    respond(request, response);
  };
  const { certificate, onServerName } = options;
  const server = certificate
    ? createTlsServer(
        {
          cert: readCertificate(certificate),
          key: readCertificate('server-key'),
          SNICallback(name, done) {
            onServerName?.(name);
            done(null);
          },
        },
        listener,
      )
    : createServer(listener);
  return { requests, ...(await listen(server, options.host, options.port)) };
}

/** Starts a TCP endpoint for behavior that no HTTP server shows. */
export async function startRawEndpointServer(
  onConnection: (socket: Socket) => void,
): Promise<Omit<Destination, 'requests'>> {
  return listen(
    createTcpServer((socket) => {
      socket.on('error', () => undefined);
      onConnection(socket);
    }),
  );
}

async function listen(server: Server, host = '127.0.0.1', port = 0): Promise<Omit<Destination, 'requests'>> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  server.on('connection', (socket: Socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => accepted,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
