import { type BackendFactory, createRedisBackend, type RedisQueueBackend } from 'bullmq';
import { sleep } from '../../lib/sleep.ts';

/**
 * Redis as a worker of BullMQ sees it, only that a failed fetch is followed by a pause before the next one. BullMQ itself
 * pauses after errors of the connection; any other, such as that of a Redis without memory, it would ask for again
 * thousands of times in a second.
 *
 * @param options.onFetch hears of every fetch that did not fail, whether it brought a task or not.
 */
export function createBackoffBackend(options: {
  pauseMs: number;
  onFetch: () => void;
}): BackendFactory<RedisQueueBackend> {
  return (...args) => {
    const backend = createRedisBackend(...args);
    const fetch = backend.moveToActive.bind(backend);
    let pause: Promise<void> | undefined;
    backend.moveToActive = async (...task) => {
      await pause;
      try {
        const fetched = await fetch(...task);
        options.onFetch();
        return fetched;
      } catch (error) {
        pause ??= sleep(options.pauseMs).then(() => {
          pause = undefined;
        });
        throw error;
      }
    };
    return backend;
  };
}
