import { Job, Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { Closers } from '../../src/lib/closers.ts';
import type { BenchRedis } from '../harness/redis.ts';
import { openFetcher } from './darkroom-in-process.ts';

/** Queue operations of the tutorial service, in this process. */
export interface TutorialInProcess {
  /** Fills the queue. @returns the ids. */
  load(count: number): Promise<string[]>;
  /** Reads the state of a job, as the GET route of the tutorial does. */
  state(id: string): Promise<void>;
  /** Cancels a job, as a cancel route of the tutorial would. @throws Error if the job does not exist. */
  cancel(id: string): Promise<void>;
  accept(): Promise<void>;
  fetchTask(): Promise<unknown>;
}

const data = { prompt: 'A lighthouse in a storm, oil on canvas', size: '1024x1024', quality: 'high' };
const jobsPerCall = 1000;

/** Opens a queue that is separated from others by its name. */
export async function openTutorial(
  redis: BenchRedis,
  name: string,
  closers: Closers,
): Promise<TutorialInProcess> {
  const queue = closers.add(new Queue(name, { connection: { path: redis.path } }), (each) => each.close());
  const connection = closers.add(new Redis(redis.path, { maxRetriesPerRequest: null }), (each) =>
    each.disconnect(),
  );
  return {
    async load(count) {
      const ids: string[] = [];
      while (ids.length < count) {
        const size = Math.min(jobsPerCall, count - ids.length);
        const jobs = await queue.addBulk(Array.from({ length: size }, () => ({ name: 'generate', data })));
        ids.push(...jobs.map((job) => job.id ?? ''));
      }
      return ids;
    },
    async state(id) {
      const job = await Job.fromId(queue, id);
      if ((await job?.getState()) !== 'waiting') throw new Error(`job ${id} does not wait`);
    },
    async cancel(id) {
      if ((await queue.remove(id)) !== 1) throw new Error(`job ${id} was not there`);
    },
    async accept() {
      await queue.add('generate', data);
    },
    fetchTask: await openFetcher({ name }, connection, closers),
  };
}
