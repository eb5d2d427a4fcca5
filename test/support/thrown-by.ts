/** Returns what a call throws, at once or by its promise; `null` if it succeeds. */
export const thrownBy = (work: () => unknown): Promise<unknown> =>
  Promise.resolve()
    .then(work)
    .then(
      () => null,
      (error: unknown) => error,
    );
