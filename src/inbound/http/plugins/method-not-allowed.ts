import { METHODS } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../../domain/errors.ts';

/** Every method that a request can have here; CONNECT never becomes a request. */
const methods = METHODS.filter((method) => method !== 'CONNECT');

/**
 * Answers 405 with `Allow` where an address exists but not with that method; a router would call it 404. Watches the
 * routes as they are added, so it is registered before them; call the result after the last one.
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
    // The pages of the documentation bring a router of their own.
    if (!route.url.startsWith('/docs')) known.set(route.url, seen);
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
        // Before the body is looked at, whatever it may be.
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
