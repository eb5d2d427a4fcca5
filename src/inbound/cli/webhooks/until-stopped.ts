/** Resolves when the user or the system stops the process: Ctrl-C, SIGTERM or a closed terminal. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}
