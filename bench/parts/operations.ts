import type { Closers } from '../../src/lib/closers.ts';
import type { BenchRedis } from '../harness/redis.ts';
import { shuffled } from '../harness/statistics.ts';
import { tenant } from './darkroom.ts';
import { openDarkroom } from './darkroom-in-process.ts';
import { finishedJob, storeJob, waitingJob } from './records.ts';
import { openTutorial } from './tutorial-in-process.ts';

/** Operations on a store that holds many jobs. Each operates once on a job that is selected at random. */
export type Operations = Readonly<Record<string, () => Promise<unknown>>>;

interface Options {
  readonly random: () => number;
  readonly closers: Closers;
}

const writesAtOnce = 500;
const pageSize = 20;
/** The oldest tasks are reserved for `take`. All other operations select from the rest. */
const tasksToTake = 300;
/** Spreads the creation times of the records, so that their ids differ in time as in production. */
const msBetweenJobs = 10;

/** Fills Darkroom through its own adapters with equal numbers of queued and finished jobs. */
export async function loadDarkroom(
  redis: BenchRedis,
  place: { keyPrefix: string; jobs: number },
  { random, closers }: Options,
): Promise<Operations> {
  const store = await openDarkroom(redis, place.keyPrefix, closers);
  const { records, queue } = store;
  const startMs = Date.now() - place.jobs * msBetweenJobs;

  async function accept(nowMs: number): Promise<string> {
    const job = waitingJob(nowMs);
    await storeJob(store, job);
    await queue.add({ kind: 'run_job', tenant, id: job.id }, { priority: 'normal' });
    return job.id;
  }
  const waiting = await inParallel(place.jobs, (no) => accept(startMs + no * msBetweenJobs));
  const finished = await inParallel(place.jobs, async (no) => {
    const job = finishedJob(startMs + no * msBetweenJobs);
    await storeJob(store, job);
    return job.id;
  });
  const remaining = shuffled(waiting.slice(tasksToTake), random);
  const anyOf = (ids: readonly string[]) => ids[Math.floor(random() * ids.length)] ?? '';
  return {
    state: async () => found(await records.get(tenant, anyOf(remaining))),
    position: async () => found(await queue.position(anyOf(remaining))),
    cancel: () => store.cancel(tenant, remaining.pop() ?? ''),
    'list, newest': () => records.list(tenant, { limit: pageSize }),
    'list, from anywhere': () => records.list(tenant, { limit: pageSize, beforeId: anyOf(finished) }),
    'list, succeeded': () =>
      records.list(tenant, { limit: pageSize, status: 'succeeded', beforeId: anyOf(finished) }),
    accept: () => accept(Date.now()),
    take: store.fetchTask,
  };
}

/** Fills the queue of the tutorial. */
export async function loadTutorial(
  redis: BenchRedis,
  place: { name: string; jobs: number },
  { random, closers }: Options,
): Promise<Operations> {
  const store = await openTutorial(redis, place.name, closers);
  const remaining = shuffled((await store.load(place.jobs)).slice(tasksToTake), random);
  return {
    state: () => store.state(remaining[Math.floor(random() * remaining.length)] ?? ''),
    cancel: () => store.cancel(remaining.pop() ?? ''),
    accept: store.accept,
    take: store.fetchTask,
  };
}

function found<T>(value: T | null): T {
  if (value === null) throw new Error('a job that should wait was not found');
  return value;
}

/** Runs numbered work, a few hundred at a time. Returns the results in order. */
async function inParallel<T>(count: number, work: (no: number) => Promise<T>): Promise<T[]> {
  const results: T[] = new Array(count);
  let next = 0;
  const scope = async () => {
    for (let no = next++; no < count; no = next++) results[no] = await work(no);
  };
  await Promise.all(Array.from({ length: Math.min(writesAtOnce, count) }, scope));
  return results;
}
