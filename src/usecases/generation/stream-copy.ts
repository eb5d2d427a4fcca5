/** Lets a second reader follow a stream. The decoder reads faster than a disk writes, so chunks hardly ever wait. */
export function createStreamCopy() {
  const waiting: Uint8Array[] = [];
  let isOver = false;
  let isComplete = false;
  let notifyReader = () => {};

  return {
    /** Passes a stream on and copies its chunks for the second reader. */
    async *watch(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        for await (const chunk of body) {
          if (!isOver) waiting.push(chunk);
          notifyReader();
          yield chunk;
        }
        isComplete = true;
      } finally {
        isOver = true;
        notifyReader();
      }
    },

    /** Whether the second reader still reads. */
    isRead: () => !isOver,

    /** Ends the second reader, even if the first one never began. */
    end() {
      isOver = true;
      notifyReader();
    },

    /** Returns the chunks for the second reader. Throws if the stream ends early. */
    async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        for (;;) {
          for (let chunk = waiting.shift(); chunk; chunk = waiting.shift()) yield chunk;
          if (isComplete) return;
          if (isOver) throw new Error('the response broke off');
          await new Promise<void>((resolve) => {
            notifyReader = resolve;
          });
        }
      } finally {
        // A decoder that found a fault reads no further.
        isOver = true;
        waiting.length = 0;
      }
    },
  };
}
