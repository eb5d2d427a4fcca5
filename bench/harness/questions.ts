/** A question from the benchmark to a process it started. */
export interface Question {
  readonly ask: string;
  readonly no: number;
  readonly value?: number | undefined;
}

export interface Answer {
  readonly no: number;
  readonly answer: unknown;
}

/** Answers the benchmark's questions of these names; several parts of one process may each answer their own. */
export function answerQuestions(answers: Readonly<Record<string, (value: number) => unknown>>): void {
  process.on('message', (message) => {
    const { ask, no, value } = message as Question;
    const answer = answers[ask];
    if (answer) process.send?.({ no, answer: answer(value ?? 0) ?? null } satisfies Answer);
  });
  // Listening must not keep a process alive that has ended otherwise.
  process.channel?.unref();
}

/** Tells the benchmark that the process works, and where. From now on it ends in order, so that profiles are written. */
export function announce(port?: number): void {
  process.once('SIGTERM', () => process.exit());
  process.send?.({ ready: port ?? 0 });
}
