/** A question from the benchmark to a process it started. */
export interface Question {
  readonly ask: string;
  readonly no: number;
  readonly value?: number | undefined;
}

export interface Response_ {
  readonly no: number;
  readonly response: unknown;
}

/** Answers the benchmark's questions of these names; several parts of one process may each answer their own. */
export function answerDnsQueries(responses: Readonly<Record<string, (value: number) => unknown>>): void {
  process.on('message', (message) => {
    const { ask, no, value } = message as Question;
    const response = responses[ask];
    if (response) process.send?.({ no, response: response(value ?? 0) ?? null } satisfies Response_);
  });
  // Listening must not keep a process alive that has ended otherwise.
  process.channel?.unref();
}

/** Tells the benchmark that the process works, and where. From now on it ends in order, so that profiles are written. */
export function dispatch(port?: number): void {
  process.once('SIGTERM', () => process.exit());
  process.send?.({ ready: port ?? 0 });
}
