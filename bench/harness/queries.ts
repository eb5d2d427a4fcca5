/** A query from the benchmark to a process it started. */
export interface Query {
  readonly name: string;
  readonly no: number;
  readonly value?: number | undefined;
}

export interface QueryReply {
  readonly no: number;
  readonly response: unknown;
}

/**
 * Responds to the queries of the benchmark with these names, also with the result of a promise. Several parts of one process
 * may each handle their own names.
 */
export function handleQueries(responses: Readonly<Record<string, (value: number) => unknown>>): void {
  process.on('message', async (message) => {
    const { name, no, value } = message as Query;
    const respond = responses[name];
    if (!respond) return;
    const response = (await respond(value ?? 0)) ?? null;
    process.send?.({ no, response } satisfies QueryReply);
  });
  // The listener must not keep the process alive after all other work has ended.
  process.channel?.unref();
}

/**
 * Reports to the benchmark that the process is ready, with its port. After that SIGTERM ends the process normally, so
 * that profiles are written.
 */
export function reportReady(port?: number): void {
  process.once('SIGTERM', () => process.exit());
  process.send?.({ ready: port ?? 0 });
}
