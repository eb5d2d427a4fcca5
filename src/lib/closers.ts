/** Resources to close in reverse order of opening. */
export interface Closers {
  /** Registers a resource with its close function and returns the resource. */
  add<T>(resource: T, close: (resource: T) => unknown): T;
  /** Closes all resources. Idempotent. A failure does not prevent closing the others. */
  close(): Promise<void>;
}

/** Creates an empty stack of resources. Passes the errors of close functions to `onError`. */
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
    add(resource, close) {
      stack.push(() => close(resource));
      return resource;
    },
    close() {
      closing ??= closeAll();
      return closing;
    },
  };
}
