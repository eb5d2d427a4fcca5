import type { FastifyBaseLogger } from 'fastify';

type ChildParameters = Parameters<FastifyBaseLogger['child']>;

/**
 * The logger of one request, whose lines all name it. The child logger behind it is made when the first line is
 * written: making one costs more than most other things that are done for a request, and few requests write any line.
 */
export function createRequestLogger(
  logger: FastifyBaseLogger,
  bindings: ChildParameters[0],
  options: ChildParameters[1],
): FastifyBaseLogger {
  let made: FastifyBaseLogger | undefined;
  const child = () => {
    made ??= logger.child(bindings, options);
    return made;
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
