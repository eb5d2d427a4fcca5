/** Things to close, last opened first. */
export interface Closers {
  /** Remembers how to close something; returns it. */
  add<T>(thing: T, close: (thing: T) => unknown): T;
  /** Closes everything once; a failure does not keep the rest open. */
  close(): Promise<void>;
}

/** A stack of open things. `onError` hears what could not be closed. */
export function createClosers(onError: (error: unknown) => void): Closers {
  const stack: (() => unknown)[] = [];
  let closing: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    for (let close = stack.pop(); close; close = stack.pop()) {
      try {
        await close();
      } catch (error) {
        onError(error);
      }
    }
  }

  return {
    add(thing, close) {
      stack.push(() => close(thing));
      return thing;
    },
    close() {
      closing ??= closeAll();
      return closing;
    },
  };
}
