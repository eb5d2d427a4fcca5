import { type Logger, pino } from 'pino';

/** Fields that never reach a log, wherever they turn up. */
const secretFields = ['authorization', 'cookie', 'key', 'api_key', 'secret', 'prompt', 'url', 'b64_json'];

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
    redact: { paths, censor: '(hidden)' },
    ...(options.pretty
      ? { transport: { target: 'pino-pretty', options: { destination: 2, ignore: 'pid' } } }
      : {}),
  });
}
