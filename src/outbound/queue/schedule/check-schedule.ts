import type { Cluster, Redis } from 'ioredis';
import { type JobTask, returnedTask } from '../intake-entry.ts';
import type { ScheduleKeys } from './lua.ts';
import { lostAfterMs } from './schedule-tasks.ts';

const pageSize = 200;

/** A scheduled task that is missing from the queue. */
export interface LostTask {
  readonly id: string;
  readonly scheduledAt: string;
}

/** Creates the reads that find differences between the schedule and the queue. */
export function createScheduleChecks(redis: Redis | Cluster, keys: ScheduleKeys) {
  /**
   * Returns a part of the scheduled tasks that are not in the queue: their processes ended before they could report the end
   * of a task, or before they could add it.
   *
   * @param cursor '0' for the first part, then the returned cursor.
   */
  async function findLost(cursor: string): Promise<{ cursor: string; lost: LostTask[] }> {
    const [next, flat] = await redis.hscan(keys.scheduled, cursor, 'COUNT', pageSize);
    if (flat.length === 0) return { cursor: next, lost: [] };
    const [seconds] = await redis.time();
    const lost: LostTask[] = [];
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const scheduledAt = flat[i + 1]?.split(' ')[0] ?? '';
      const isYoung = Number(seconds) * 1000 - Number(scheduledAt) < lostAfterMs;
      if (!isYoung) lost.push({ id: flat[i] ?? '', scheduledAt });
    }
    const exist = await Promise.all(lost.map(({ id }) => redis.exists(keys.task(id))));
    return { cursor: next, lost: lost.filter((_, i) => exist[i] === 0) };
  }

  /**
   * Returns waiting tasks that are in the queue although all slots are used: an earlier release added them, or the delays of
   * many jobs ended together. Returns at most 200, without those that only the queue can hold.
   */
  async function findExcess(slots: number): Promise<JobTask[]> {
    if ((await redis.zcard(keys.prioritized)) <= slots) return [];
    const ids = await redis.zrange(keys.prioritized, slots, String(slots + pageSize - 1));
    const messages = await Promise.all(ids.map((id) => redis.hmget(keys.task(id), 'data', 'priority')));
    return ids.flatMap((taskId, i) => {
      const [data, rank] = messages[i] ?? [];
      return data ? (excessTask(taskId, data, rank) ?? []) : [];
    });
  }

  return { findLost, findExcess };
}

function excessTask(taskId: string, data: string, rank: string | null | undefined): JobTask | null {
  try {
    return returnedTask(taskId, JSON.parse(data), Number(rank));
  } catch {
    return null;
  }
}
