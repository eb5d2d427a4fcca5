import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** Condition in Redis by which one service marks a job as ended: the job is, or is not, a member of a sorted set. */
export interface EndMark {
  readonly sortedSet: string;
  readonly present: boolean;
}

/** Detects ended jobs within a few milliseconds, in the same way for every service. */
export interface EndWatch {
  /**
   * Resolves with the time at which the end of the job was seen, as in `performance.now()`. @throws Error after the limit.
   */
  ended(id: string): Promise<number>;
}

const pauseMs = 2;
const defaultLimitMs = 60_000;

interface Waiter {
  readonly deadlineMs: number;
  readonly resolve: (nowMs: number) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Queries all watched jobs from Redis in one round trip. Repeats every 2 ms while any job is watched.
 *
 * @param limitMs maximum time until the end of a job, in milliseconds. Default 60,000.
 */
export function watchEnds(redis: Redis, mark: EndMark, limitMs = defaultLimitMs): EndWatch {
  const waiters = new Map<string, Waiter>();
  let running = false;

  async function look(): Promise<void> {
    const ids = [...waiters.keys()];
    const pipeline = redis.pipeline();
    for (const id of ids) pipeline.zscore(mark.sortedSet, id);
    const responses = (await pipeline.exec()) ?? [];
    const nowMs = performance.now();
    ids.forEach((id, at) => {
      const waiter = waiters.get(id);
      const isOver = (responses[at]?.[1] !== null) === mark.present;
      if (!waiter || (!isOver && nowMs < waiter.deadlineMs)) return;
      waiters.delete(id);
      if (isOver) waiter.resolve(nowMs);
      else waiter.reject(new Error(`job ${id} had not ended after ${limitMs / 1000} s`));
    });
  }

  async function loop(): Promise<void> {
    running = true;
    try {
      for (; waiters.size > 0; await sleep(pauseMs)) await look();
    } catch (error) {
      for (const waiter of waiters.values()) waiter.reject(error as Error);
      waiters.clear();
    } finally {
      running = false;
    }
  }

  return {
    ended: (id) =>
      new Promise((resolve, reject) => {
        waiters.set(id, { deadlineMs: performance.now() + limitMs, resolve, reject });
        if (!running) void loop();
      }),
  };
}
