/** Reader that waits for the bytes of a topic. */
export interface ExpectedBytes {
  /** Returns the bytes that are shared under a key. They are valid until `end`. */
  find(key: string): Buffer | undefined;
  /** Ends the reader. Idempotent. */
  end(): void;
}

/** Bytes in memory that one part of a process shares with readers in the same process. */
export interface SharedBytes {
  /** Announces a reader of a topic, which must call `end`. Bytes that were shared before are not found. */
  expect(topic: string): ExpectedBytes;
  /**
   * Shares bytes with the readers of a topic. Resolves when no reader may read them any more, so that their memory can be
   * used again: at once if there is no reader, if the topic has shared bytes before, or if the maximum is reached.
   */
  share(topic: string, key: string, bytes: Buffer): Promise<void>;
}

interface Topic {
  readers: number;
  shared?: { readonly key: string; readonly bytes: Buffer; readonly release: () => void };
}

/** @param max number of bytes objects that are shared at the same time. It bounds the memory that slow readers hold. */
export function createSharedBytes(max: number): SharedBytes {
  const topics = new Map<string, Topic>();
  let count = 0;

  return {
    expect(name) {
      const topic = topics.get(name) ?? { readers: 0 };
      topics.set(name, topic);
      topic.readers += 1;
      let isEnded = false;
      return {
        find: (key) => (!isEnded && topic.shared?.key === key ? topic.shared.bytes : undefined),
        end() {
          if (isEnded) return;
          isEnded = true;
          topic.readers -= 1;
          if (topic.readers > 0) return;
          topics.delete(name);
          topic.shared?.release();
        },
      };
    },

    async share(name, key, bytes) {
      const topic = topics.get(name);
      if (!topic || topic.shared || count >= max) return;
      count += 1;
      await new Promise<void>((resolve) => {
        topic.shared = { key, bytes, release: resolve };
      });
      count -= 1;
    },
  };
}
