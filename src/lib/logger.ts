import { type Logger, pino } from 'pino';

/** Names of fields that are removed from every log line. */
const secretFields = ['authorization', 'cookie', 'key', 'api_key', 'secret', 'prompt', 'url', 'b64_json'];

/**
 * Returns the loggable fields of an error. All others are dropped, because libraries attach data to their errors: the error
 * of a refused Redis command contains the whole record, including the prompt.
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
 * Creates a JSON logger on standard output, or a readable one on a terminal. It redacts fields with the names of secrets,
 * prompts and links as a second protection: callers must not pass them.
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
