// Consumes a queue and never finishes a task, for tests that kill the process in the middle of its work.
// Arguments: Redis address, key prefix, lock duration in milliseconds. Prints the id of every task that starts, and the
// id and the reason when a task must stop.
import { createWorkerRedis } from '../../src/lib/redis/redis.ts';
import { queueNames } from '../../src/outbound/queue/queue-names.ts';
import { createTaskConsumer } from '../../src/outbound/queue/task-consumer.ts';
import { silentLog } from './jobs.ts';

const [, , address = '', prefix = '', lockDurationMs = ''] = process.argv;
const consumer = createTaskConsumer(
  { queue: queueNames(prefix).jobs, concurrency: 4, lockDurationMs: Number(lockDurationMs) },
  { redis: createWorkerRedis(address, { onError: () => undefined }), log: silentLog },
  (task, signal) => {
    console.log(task.id);
    signal.addEventListener('abort', () => console.log(`${task.id} ${signal.reason}`));
    return new Promise(() => undefined);
  },
);
consumer.start();
