interface Options {
  readonly onError: (error: unknown) => void;
  /** Delay before the first run, in milliseconds. Default: one pause. */
  readonly firstAfterMs?: number;
}

/**
 * Runs work at intervals. The pause lies between the end of one run and the start of the next, so runs never overlap.
 *
 * @returns a function that stops further runs and waits for the current run.
 */
export function every(
  pauseMs: number,
  work: () => Promise<void>,
  { onError, firstAfterMs = pauseMs }: Options,
): () => Promise<void> {
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout;
  const plan = (afterMs: number) => {
    timer = setTimeout(() => {
      running = work()
        .catch(onError)
        .finally(() => {
          if (!stopped) plan(pauseMs);
        });
    }, afterMs);
    timer.unref();
  };
  plan(firstAfterMs);
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}
