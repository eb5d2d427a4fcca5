import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { ImageJob } from '../../src/domain/image-job.ts';
import type { JobQueue, JobStore, Log, Meter, Signals } from '../../src/domain/ports.ts';
import type { Closers } from '../../src/lib/closers.ts';
import { createJobQueue, type Scheduling } from '../../src/outbound/queue/job-queue.ts';
import { queueNames } from '../../src/outbound/queue/queue-names.ts';
import { createTaskQueue } from '../../src/outbound/queue/task-queue.ts';
import { type CancelJob, createCancelJob } from '../../src/usecases/jobs/cancel-job.ts';
import { createExpireJob } from '../../src/usecases/jobs/expire-job.ts';
import { createGetJob } from '../../src/usecases/jobs/get-job.ts';
import { createUpdateJob } from '../../src/usecases/jobs/update-job.ts';
import type { BenchRedis } from '../harness/redis.ts';
import { openRecords, type RecordStore } from './records.ts';

/** The adapters of Darkroom and the use case `cancel` in this process, on the keys of one deployment. */
export interface DarkroomInProcess extends RecordStore {
  readonly records: JobStore;
  readonly queue: JobQueue & Scheduling;
  readonly cancel: CancelJob;
  /** Consumes the next task and completes it, as a worker does. @throws Error if there is no task. */
  fetchTask(): Promise<void>;
}

const nothing = () => {};
const log: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const meter: Meter = {
  submitted: nothing,
  jobFinished: nothing,
  stageDone: nothing,
  providerCall: nothing,
  imageStored: nothing,
  estimateError: nothing,
  ledgerArchived: nothing,
  tenantThrottled: nothing,
  webhookAttempt: nothing,
  recordUnreadable: nothing,
  billAboveHold: nothing,
  budgetRefused: nothing,
  holdRepaired: nothing,
};
/** Signals without an effect, because no worker runs these jobs. */
const signals: Signals = {
  onChange: () => nothing,
  onTenantChange: () => nothing,
  onCancel: () => nothing,
  requestCancel: async () => {},
  onPolicyChange: () => nothing,
};
const retentionOf = (_job: ImageJob) => ({ mediaSeconds: 2_592_000, recordSeconds: 7_776_000 });

/** Opens a deployment that is separated from others by its key prefix. */
export async function openDarkroom(
  redis: BenchRedis,
  keyPrefix: string,
  closers: Closers,
): Promise<DarkroomInProcess> {
  const store = openRecords(redis, keyPrefix, closers);
  const { jobs, webhooks } = queueNames(keyPrefix);
  const connect = () =>
    closers.add(new Redis(redis.path, { enableAutoPipelining: true, maxRetriesPerRequest: null }), (each) =>
      each.disconnect(),
    );
  const queueRedis = connect();
  await queueRedis.ping();
  const queue = closers.add(createJobQueue(queueRedis, jobs), (each) => each.close());
  const webhookQueue = closers.add(createTaskQueue(queueRedis, webhooks), (each) => each.close());
  const { records } = store;
  const updateJob = createUpdateJob({
    records,
    webhookQueue,
    cancelProviderCalls: async () => {},
    capsOf: async () => [],
    reportThresholds: async () => {},
    meter,
    log,
  });
  const environment = { updateJob, jobQueue: queue, clock: Date.now, retentionOf };
  const getJob = createGetJob({ ...environment, records, signals, expireJob: createExpireJob(environment) });
  const fetch = await openFetcher(jobs, connect(), closers);
  await queue.registerSlots('bench', 1, registrationMs);
  return {
    ...store,
    queue,
    cancel: createCancelJob({ ...environment, getJob, signals }),
    async fetchTask() {
      await queue.schedule({ maxTasks: 1 });
      const id = await fetch();
      await queue.schedule({ ended: [{ id }], maxTasks: 0 });
    },
  };
}

/** The slots of this process stay registered for the whole run, in milliseconds. */
const registrationMs = 24 * 3_600_000;

/**
 * Fetches tasks directly through the queue library, because the consumer of the service fetches them only
 * automatically. The function returns the id of the completed task.
 */
export async function openFetcher(
  queue: { name: string; prefix?: string },
  connection: Redis,
  closers: Closers,
): Promise<() => Promise<string>> {
  const worker = closers.add(
    new Worker(queue.name, null, {
      connection,
      ...(queue.prefix === undefined ? {} : { prefix: queue.prefix }),
      autorun: false,
      removeOnComplete: { count: 0 },
    }),
    (each) => each.close(true),
  );
  await worker.waitUntilReady();
  const token = 'bench';
  return async () => {
    const task = await worker.getNextJob(token, { block: false });
    if (!task) throw new Error('no task was waiting');
    await task.moveToCompleted(null, token, false);
    return task.id ?? '';
  };
}
