import type { ServerResponse } from 'node:http';
import type { FastifyRequest } from 'fastify';

/** Form of the bytes that keep the connection of a waiting caller open. */
export type KeepAliveForm = 'interim' | 'white-space';

/** How a waiting caller is kept connected. */
export interface KeepAlive {
  readonly form: KeepAliveForm;
  /** Time until the first keep-alive. Most failures occur earlier, so every client receives their status. */
  readonly firstMs: number;
}

/** Setting of the deployment: `auto` decides by the request. */
export type InterimResponses = 'auto' | 'always' | 'never';

/** Clients that skip interim responses (measured with openai 6 and 7 and with the AI SDK). */
const skipsInterimResponses = /^(OpenAI\/JS|ai\/)/;
/** Headers that proxies, load balancers and CDNs add. */
const proxyHeaders = new Set([
  ...['via', 'forwarded', 'x-real-ip', 'x-client-ip', 'true-client-ip', 'x-cluster-client-ip'],
  ...['cf-ray', 'cf-connecting-ip', 'fastly-client-ip', 'fly-client-ip', 'x-amzn-trace-id', 'x-azure-ref'],
  ...['x-cloud-trace-context', 'x-envoy-external-address', 'x-original-forwarded-for'],
]);

/**
 * Returns the form that keeps a waiting connection open. Interim responses (`102 Processing`) leave the final status
 * open. However, nginx before 1.29 and Python's standard library treat every 1xx as the final response.
 */
export function keepAliveFormFor(
  request: Pick<FastifyRequest, 'headers'> & { readonly raw: { readonly httpVersion: string } },
  setting: InterimResponses,
): KeepAliveForm {
  if (setting !== 'auto') return setting === 'always' ? 'interim' : 'white-space';
  const isDirect = !Object.keys(request.headers).some(
    (name) => proxyHeaders.has(name) || name.startsWith('x-forwarded-'),
  );
  const canSkip = skipsInterimResponses.test(request.headers['user-agent'] ?? '');
  return isDirect && canSkip && request.raw.httpVersion === '1.1' ? 'interim' : 'white-space';
}

/** Maximum pause between keep-alives. Shorter than the idle timeouts of common proxies. */
const maxPauseMs = 15_000;

/**
 * Calls `beat` after `firstMs` and then every 15 s, or more often if `firstMs` is shorter.
 *
 * @returns a function that stops the calls.
 */
export function startKeepAlive(beat: () => void, firstMs: number): () => void {
  const everyMs = Math.min(maxPauseMs, firstMs);
  let timer = setTimeout(function next() {
    beat();
    timer = setTimeout(next, everyMs);
  }, firstMs);
  return () => clearTimeout(timer);
}

/** Sends one keep-alive in a form. White space begins the response, so its status is then 200. */
export function sendSignOfLife(
  response: ServerResponse,
  form: KeepAliveForm,
  headers: Readonly<Record<string, string>>,
): void {
  if (response.destroyed || response.writableEnded) return;
  if (form === 'interim') {
    response.writeProcessing();
    return;
  }
  if (!response.headersSent) response.writeHead(200, { ...headers, 'x-accel-buffering': 'no' });
  response.write(' ');
}
