/** The part of a structured logger that is used here. */
interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Tells the log of work that is tried again and again and fails. */
export interface OutageLog {
  failed(error: unknown): void;
  worked(): void;
}

const remindMs = 60_000;
/** Work that succeeds so soon after a failure may be half the trouble, not its end. */
const settledMs = 5_000;

/**
 * Trouble is told at once, then once a minute with the number of failures so far, and once more when it is over, however
 * often the work is tried meanwhile.
 */
export function createOutageLog(
  log: Log,
  words: { readonly fields: object; readonly outage: string; readonly over: string },
  clock: () => number = Date.now,
): OutageLog {
  let failures = 0;
  let failedAt = 0;
  let toldAt = 0;
  return {
    failed(error) {
      failures += 1;
      failedAt = clock();
      if (failures > 1 && failedAt - toldAt < remindMs) return;
      toldAt = failedAt;
      log.warn({ ...words.fields, err: error, failures }, words.outage);
    },
    worked() {
      if (failures === 0 || clock() - failedAt < settledMs) return;
      log.info({ ...words.fields, failures }, words.over);
      failures = 0;
    },
  };
}
