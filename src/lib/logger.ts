import { type Logger, pino } from 'pino';

/** Fields that never reach a log, wherever they turn up. */
const secretFields = ['authorization', 'cookie', 'key', 'api_key', 'secret', 'prompt', 'url', 'b64_json'];

/**
 * What is told of an error, and of what caused it. Nothing else: libraries hang whatever they had in hand on their errors,
 * and that of a Redis command which was refused is the whole record, prompt included.
 */
function describeError(error: Error): Record<string, unknown> {
  const { type, message, stack, code, aggregateErrors } = pino.stdSerializers.err(error);
  return {
    type,
    message,
    stack,
    ...(code === undefined ? {} : { code }),
    ...(aggregateErrors ? { errors: aggregateErrors.map((each: Error) => each.message) } : {}),
  };
}

/**
 * A JSON logger on standard output, readable on a terminal. Fields named like secrets, prompts or links are cut out as a
 * second wall; the first is not to pass them.
 */
export function createLogger(options: { level: string; pretty: boolean }): Logger {
  const paths = secretFields.flatMap((field) => [field, `*.${field}`, `*.headers.${field}`]);
  return pino({
    level: options.level,
    base: {},
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: (error) => (error instanceof Error ? describeError(error) : String(error)) },
    redact: { paths, censor: '(hidden)' },
    ...(options.pretty
      ? { transport: { target: 'pino-pretty', options: { destination: 2, ignore: 'pid' } } }
      : {}),
  });
}
