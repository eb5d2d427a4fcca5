// A process that consumes a queue and never finishes a task, for tests that end it in the middle of its work.
// Arguments: Redis address, key prefix, lock duration in milliseconds. Prints the id of every task it takes.
import { createWorkerRedis } from '../../src/lib/redis.ts';
import { createTaskConsumer } from '../../src/outbound/queue/task-consumer.ts';
import { queueNames } from '../../src/outbound/queue/task-queue.ts';
import { silentLog } from './jobs.ts';

const [, , address = '', prefix = '', lockDurationMs = ''] = process.argv;
const consumer = createTaskConsumer(
  { queue: queueNames(prefix).images, concurrency: 4, lockDurationMs: Number(lockDurationMs) },
  { redis: createWorkerRedis(address, { onError: () => undefined }), log: silentLog },
  (task) => {
    console.log(task.id);
    return new Promise(() => undefined);
  },
);
consumer.start();
