import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { buildApp } from 'fauxqs';
import { freePort } from './free-port.ts';
import { expiryOf, readClaim, signatureOf } from './sigv4.ts';

/** Responds to a request and returns `true`, or returns `false` to pass the request to the server. */
export type Interceptor = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface TestS3 {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Installs an interceptor in front of the server. `null` removes it. */
  intercept(interceptor: Interceptor | null): void;
  /** Ends every connection and stops listening. Stored objects remain. */
  stop(): Promise<void>;
  /** Listens again on the same port with the stored objects. */
  start(): Promise<void>;
}

const credentials = { accessKeyId: 'TESTACCESSKEY', secretAccessKey: 'test/secret+key' };
const region = 'us-east-1';

/**
 * Starts an S3 API server in this process, on loopback, with one bucket. In addition to fauxqs it verifies the signatures
 * of requests and links and the expiry of links, and it sends the response headers of a link. Bodies are limited to 11 MiB.
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
      respondWithError(request, response, { status: 403, code: refusal });
      return;
    }
    overrideHeaders(request, response);
    s3.routing(request, response);
  };

  let server = createServer(handle);
  const port = await freePort();
  const listen = () =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  await listen();

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
      await listen();
    },
  };
}

export interface S3Error {
  readonly status: number;
  readonly code: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Responds like S3: the code in an XML body, but no body for HEAD. */
export function respondWithError(
  request: IncomingMessage,
  response: ServerResponse,
  { status, code, headers = {} }: S3Error,
): void {
  request.resume();
  response.writeHead(status, { 'content-type': 'application/xml', ...headers });
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Returns the S3 error code for the signature of a request, or `null` if the signature is valid. */
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
  // Immediately before the headers are sent, so that these take precedence.
  response.writeHead = ((status: number, headers?: Record<string, string>) =>
    writeHead(status, { ...headers, ...Object.fromEntries(wanted) })) as typeof response.writeHead;
}
