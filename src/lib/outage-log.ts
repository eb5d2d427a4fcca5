/** Subset of a structured logger. */
interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Log of the outages of repeated work. */
export interface OutageLog {
  failed(error: unknown): void;
  worked(): void;
}

const remindMs = 60_000;
/** Time after the last failure before a success ends the outage. Earlier successes occur during a partial outage too. */
const settledMs = 5_000;

/**
 * Creates a log that writes few lines for any number of attempts. It writes one line at the first failure, one per minute
 * with the number of failures so far, and one at the end of the outage.
 *
 * @param monotonicMs returns the milliseconds since any fixed moment.
 */
export function createOutageLog(
  log: Log,
  words: { readonly fields: object; readonly outage: string; readonly over: string },
  monotonicMs: () => number = () => performance.now(),
): OutageLog {
  let failures = 0;
  let failedAt = 0;
  let loggedAt = 0;
  return {
    failed(error) {
      failures += 1;
      failedAt = monotonicMs();
      if (failures > 1 && failedAt - loggedAt < remindMs) return;
      loggedAt = failedAt;
      log.warn({ ...words.fields, err: error, failures }, words.outage);
    },
    worked() {
      if (failures === 0 || monotonicMs() - failedAt < settledMs) return;
      log.info({ ...words.fields, failures }, words.over);
      failures = 0;
    },
  };
}
