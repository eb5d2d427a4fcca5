import type { ServerResponse } from 'node:http';
import type { FastifyRequest } from 'fastify';

/** How a caller who waits for a long time is shown that the connection is alive. */
export type KeepAliveForm = 'interim' | 'white-space';

/** Setting of the deployment: `auto` decides by the request. */
export type InterimResponses = 'auto' | 'always' | 'never';

/** Clients that are known to skip interim responses (measured on openai 6 and 7 and on the AI SDK). */
const skipsInterimResponses = /^(OpenAI\/JS|ai\/)/;
const proxyHeaders = ['via', 'forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'];

/**
 * Chooses how to keep a waiting connection alive. Interim responses (`102 Processing`) leave the final status open, but
 * nginx before 1.29 and Python's standard library take any 1xx for the final response.
 */
export function keepAliveFormFor(
  request: Pick<FastifyRequest, 'headers'> & { readonly raw: { readonly httpVersion: string } },
  setting: InterimResponses,
): KeepAliveForm {
  if (setting !== 'auto') return setting === 'always' ? 'interim' : 'white-space';
  const isDirect = !Object.keys(request.headers).some(
    (name) => proxyHeaders.includes(name) || name.startsWith('x-forwarded-'),
  );
  const canSkip = skipsInterimResponses.test(request.headers['user-agent'] ?? '');
  return isDirect && canSkip && request.raw.httpVersion === '1.1' ? 'interim' : 'white-space';
}

/** Most failures come before this time, so that they keep their status with every client. */
export const firstKeepAliveMs = 25_000;
/** Shorter than the idle limits of common proxies. */
export const keepAliveMs = 15_000;

/**
 * Calls `beat` after 25 s and every 15 s from then on.
 *
 * @returns the function that ends it.
 */
export function startKeepAlive(
  beat: () => void,
  firstMs = firstKeepAliveMs,
  everyMs = keepAliveMs,
): () => void {
  let timer = setTimeout(function next() {
    beat();
    timer = setTimeout(next, everyMs);
  }, firstMs);
  return () => clearTimeout(timer);
}

/** Sends one sign of life in a form. White space begins the response: from then on its status is 200. */
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
