import { queryRedis } from '../../support/redis.ts';
import { keyPrefix } from '../fleet/fleet.ts';
import { type Scenario, type Stage, until } from '../scenario.ts';

const backWithinMs = 60_000;

/** Deletes every key of the queues under a backlog. The reconciler must restore all tasks from the records. */
export const wipeQueue: Scenario = {
  name: 'wiped',
  about: 'deletes the keys of the queues',
  async run(stage) {
    const ids = await stage.accepted.submit(stage.short ? 60 : 200);
    const deleted = await deleteQueues(stage);
    const wipedAtMs = Date.now();
    await until('every job is back in the queue', backWithinMs * 2, () => areBack(stage, ids));
    const tookMs = Date.now() - wipedAtMs;
    await stage.drained();
    return [
      { figure: 'keys deleted', found: deleted },
      {
        figure: 'until every queued job was back',
        found: `${(tookMs / 1000).toFixed(1)} s`,
        allowed: `${backWithinMs / 1000} s`,
        ok: tookMs <= backWithinMs,
        timed: true,
      },
    ];
  },
};

function deleteQueues({ fleet }: Stage): Promise<number> {
  return queryRedis(fleet.redis.url, async (redis) => {
    const keys = await redis.keys(`{${keyPrefix}-queue-*`);
    return keys.length > 0 ? redis.del(...keys) : 0;
  });
}

/** Returns whether each unfinished job has a task again. */
function areBack({ fleet }: Stage, ids: readonly string[]): Promise<boolean> {
  return queryRedis(fleet.redis.url, async (redis) => {
    const open = new Set(await redis.zrange(`${keyPrefix}:{acme}:open`, 0, '-1'));
    const waiting = ids.filter((id) => open.has(id));
    const tasks = await Promise.all(
      waiting.map(async (id) => {
        const isScheduled = await redis.hexists(`{${keyPrefix}-queue-jobs}:tasks`, id);
        return isScheduled + (await redis.exists(`{${keyPrefix}-queue-jobs}:jobs:${id}`));
      }),
    );
    return tasks.every((exists) => exists > 0);
  });
}
