/** A query from the benchmark to a process it started. */
export interface Question {
  readonly ask: string;
  readonly no: number;
  readonly value?: number | undefined;
}

export interface Response_ {
  readonly no: number;
  readonly response: unknown;
}

/**
 * Responds to the queries of the benchmark with these names. Several parts of one process may each handle their own
 * names.
 */
export function answerDnsQueries(responses: Readonly<Record<string, (value: number) => unknown>>): void {
  process.on('message', (message) => {
    const { ask, no, value } = message as Question;
    const response = responses[ask];
    if (response) process.send?.({ no, response: response(value ?? 0) ?? null } satisfies Response_);
  });
  // The listener must not keep the process alive after all other work has ended.
  process.channel?.unref();
}

/**
 * Reports to the benchmark that the process is ready, with its port. After that SIGTERM ends the process normally, so
 * that profiles are written.
 */
export function dispatch(port?: number): void {
  process.once('SIGTERM', () => process.exit());
  process.send?.({ ready: port ?? 0 });
}
