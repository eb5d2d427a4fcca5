/** Waits until a promise has settled, at most for a time in milliseconds. Returns whether it has settled. Never rejects. */
export type RepeatedWait = (maxMs: number) => Promise<boolean>;

/**
 * Creates a wait for a promise that may be repeated any number of times, one at a time. With `Promise.race` every repetition
 * would leave reactions on the promise, and their memory would grow until the promise settles.
 */
export function createRepeatedWait(work: Promise<unknown>): RepeatedWait {
  let isSettled = false;
  let notify = () => {};
  const settle = () => {
    isSettled = true;
    notify();
  };
  work.then(settle, settle);
  return async (maxMs) => {
    if (isSettled) return true;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      notify = resolve;
      timer = setTimeout(resolve, maxMs);
    });
    clearTimeout(timer);
    return isSettled;
  };
}
