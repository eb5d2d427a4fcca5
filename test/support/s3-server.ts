import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildApp } from 'fauxqs';
import { expiryOf, readClaim, signatureOf } from './sigv4.ts';

/** Answers a request itself and returns `true`, or lets it through to the real server. */
export type Interceptor = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface TestS3 {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Puts faults in front of the server; `null` takes them away. */
  intercept(interceptor: Interceptor | null): void;
  /** Ends every connection and stops listening. What was stored is kept. */
  stop(): Promise<void>;
  /** Listens again on the same port, with what was stored. */
  start(): Promise<void>;
}

const credentials = { accessKeyId: 'TESTACCESSKEY', secretAccessKey: 'test/secret+key' };
const region = 'us-east-1';

/**
 * An S3 API server in this process, on loopback, with one bucket. On top of fauxqs it checks the signatures of requests
 * and links, the expiry of links, and honors the response headers a link asks for. Bodies are limited to 11 MiB.
 */
export async function startTestS3(bucket = 'darkroom-test'): Promise<TestS3> {
  const s3 = buildApp({ logger: false });
  await s3.ready();
  await s3.inject({ method: 'PUT', url: `/${bucket}` });

  let interceptor: Interceptor | null = null;
  const handle: RequestListener = (request, response) => {
    if (interceptor?.(request, response) === true) return;
    const refusal = failureOf(request);
    if (refusal !== null) {
      respondWithError(request, response, 403, refusal);
      return;
    }
    overrideHeaders(request, response);
    s3.routing(request, response);
  };

  let server = createServer(handle);
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;

  return {
    endpoint: `http://127.0.0.1:${port}`,
    region,
    bucket,
    credentials,
    intercept(next) {
      interceptor = next;
    },
    async stop() {
      const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await stopped;
    },
    async start() {
      server = createServer(handle);
      await listen(port);
    },
  };
}

/** Answers as S3 does: the code in an XML body, but no body to HEAD. */
export function respondWithError(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = {},
): void {
  request.resume();
  response.writeHead(status, { 'content-type': 'application/xml', ...headers });
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Why S3 would refuse a request for its signature; `null` when it is in order. */
function failureOf({ method = '', url: target = '', headers }: IncomingMessage): string | null {
  const request = { method, target, headers };
  const claim = readClaim(request);
  if (claim === null) return 'AccessDenied';
  if (claim.accessKeyId !== credentials.accessKeyId) return 'InvalidAccessKeyId';
  if (signatureOf(request, claim, credentials.secretAccessKey) !== claim.signature) {
    return 'SignatureDoesNotMatch';
  }
  if (claim.expiresSeconds !== null && expiryOf(claim) <= Date.now()) return 'AccessDenied';
  return null;
}

function overrideHeaders(request: IncomingMessage, response: ServerResponse): void {
  const query = new URL(request.url ?? '/', 'http://s3').searchParams;
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
  const wanted = ['content-type', 'content-disposition'].flatMap((name) => {
    const value = query.get(`response-${name}`);
    return value === null ? [] : [[name, value] as const];
  });
  if (wanted.length === 0) return;
  // The last moment before the headers go out, so that these win.
  response.writeHead = ((status: number, headers?: Record<string, string>) =>
    writeHead(status, { ...headers, ...Object.fromEntries(wanted) })) as typeof response.writeHead;
}
