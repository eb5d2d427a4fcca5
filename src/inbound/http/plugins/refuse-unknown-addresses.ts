import { METHODS } from 'node:http';
import type { FastifyInstance } from 'fastify';
import findMyWay from 'find-my-way';
import { AppError } from '../../../domain/errors.ts';
import { sendProblem } from '../problem.ts';

/** Options of the router, which must understand addresses like this plugin. */
export const routerOptions = { maxParamLength: 512, ignoreTrailingSlash: false };

/**
 * Refuses requests without a route before their body is read: with 405 and `Allow` if the address exists with other methods,
 * otherwise with 404. Must be registered before the routes, because it observes them.
 *
 * The addresses are in a router of their own. A route for each missing method would be simpler, but 34 methods of 80 addresses
 * are more routes than the service has, and take half of the time in which it is built.
 */
export function refuseUnknownAddresses(app: FastifyInstance): void {
  // The router responds to all others as malformed requests.
  for (const method of METHODS) {
    if (method !== 'CONNECT' && !app.supportedMethods.includes(method))
      app.addHttpMethod(method, { hasBody: true });
  }
  const addresses = findMyWay(routerOptions);
  app.addHook('onRoute', ({ url, method }) => {
    // The documentation plugin adds its own routes for other methods.
    if (url.startsWith('/docs/api')) return;
    const known: Set<string> | undefined = addresses.findRoute('GET', url)?.store;
    const allowed = known ?? new Set();
    if (!known) addresses.on('GET', url, () => {}, allowed);
    for (const each of [method].flat()) allowed.add(each);
  });
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done();
    const allowed: Set<string> | undefined = addresses.find('GET', request.url)?.store;
    if (!allowed) return done(notFound());
    const allow = [...allowed].sort().join(', ');
    reply.header('allow', allow);
    const detail = `${request.method} is not allowed here, only ${allow}.`;
    done(new AppError('method_not_allowed', { detail }));
  });
  // The documentation page has a wildcard route, so a missing file of the page is not a 404 to the router.
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, notFound()));
}

/** Creates the error of an address without a route. */
function notFound(): AppError {
  return new AppError('not_found', { detail: 'There is nothing at this address.' });
}
