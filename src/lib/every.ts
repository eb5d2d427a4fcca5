/**
 * Runs work again and again with a pause between the end of one run and the start of the next, so that runs never
 * overlap.
 *
 * @param options.firstAfterMs when the first one starts; after one pause by default.
 * @returns stops it and waits for a run that is under way.
 */
export function every(
  pauseMs: number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
  { firstAfterMs = pauseMs }: { firstAfterMs?: number } = {},
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
