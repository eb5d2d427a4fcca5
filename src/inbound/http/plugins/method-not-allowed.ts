import { METHODS } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../../domain/errors.ts';

/** Methods of requests. CONNECT is absent, because Node emits no request for it. */
const methods = METHODS.filter((method) => method !== 'CONNECT');

/**
 * Responds with 405 and `Allow` if an address exists with other methods only. The router would respond with 404. Must be
 * registered before the routes, because it observes them.
 *
 * @returns a function to call after the last route.
 */
export function watchMethods(app: FastifyInstance): () => void {
  for (const method of methods) {
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method, { hasBody: true });
  }
  const known = new Map<string, Set<string>>();
  app.addHook('onRoute', (route) => {
    const list = Array.isArray(route.method) ? route.method : [route.method];
    const seen = known.get(route.url) ?? new Set();
    for (const method of list) seen.add(method);
    // The documentation plugin adds its own routes for other methods.
    if (!route.url.startsWith('/docs/api')) known.set(route.url, seen);
  });
  return () => {
    for (const [url, allowed] of [...known]) {
      const missing = methods.filter((method) => !allowed.has(method));
      const allow = [...allowed].sort().join(', ');
      if (missing.length === 0) continue;
      app.route({
        method: missing,
        url,
        schema: { hide: true },
        // The route refuses before the body is read, so that an invalid body does not hide the 405.
        onRequest: (request, reply, done) => {
          reply.header('allow', allow);
          const detail = `${request.method} is not allowed here, only ${allow}.`;
          done(new AppError('method_not_allowed', { detail }));
        },
        handler: () => undefined,
      });
    }
  };
}
