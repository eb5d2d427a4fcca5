import { type BackendFactory, createRedisBackend, type RedisQueueBackend } from 'bullmq';
import { sleep } from '../../lib/sleep.ts';

/** Connection for blocking reads. */
export type BlockingClient = Awaited<NonNullable<RedisQueueBackend['blockingClient']>>;

/**
 * Creates BullMQ's Redis backend with a pause after every failed fetch. BullMQ pauses after connection errors only. After
 * any other error, such as that of a Redis without memory, it would fetch again thousands of times per second.
 *
 * @param options.onFetch called after every successful fetch, with or without a task.
 * @param options.onBlockingClient called with the connection for blocking reads as soon as it is open.
 */
export function createBackoffBackend(options: {
  pauseMs: number;
  onFetch: () => void;
  onBlockingClient: (client: BlockingClient) => void;
}): BackendFactory<RedisQueueBackend> {
  return (...args) => {
    const backend = createRedisBackend(...args);
    backend.blockingClient?.then(options.onBlockingClient, () => {});
    const moveToActive = backend.moveToActive.bind(backend);
    let pause: Promise<void> | undefined;
    backend.moveToActive = async (...task) => {
      await pause;
      try {
        const fetched = await moveToActive(...task);
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
