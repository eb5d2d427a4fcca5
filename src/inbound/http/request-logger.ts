import type { FastifyBaseLogger } from 'fastify';

type ChildParameters = Parameters<FastifyBaseLogger['child']>;

/**
 * Creates the logger of one request. Every line contains the request id.
 *
 * The child logger is created at the first line, because few requests log anything. Its creation is one of the most
 * expensive steps of a request.
 */
export function createRequestLogger(
  logger: FastifyBaseLogger,
  bindings: ChildParameters[0],
  options: ChildParameters[1],
): FastifyBaseLogger {
  let created: FastifyBaseLogger | undefined;
  const child = () => {
    created ??= logger.child(bindings, options);
    return created;
  };
  const write =
    (level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace') =>
    (...line: unknown[]) =>
      child()[level](...(line as [object, string]));
  return {
    level: logger.level,
    fatal: write('fatal'),
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    trace: write('trace'),
    silent() {},
    child: (more, moreOptions) => child().child(more, moreOptions),
  };
}
