import { askRedis } from '../../support/redis.ts';
import { keyPrefix } from '../fleet/fleet.ts';
import { type Scenario, type Stage, until } from '../scenario.ts';

const retentionSeconds = 60;
const sweepLimitMs = 20 * 60_000;
const share = 0.1;

/**
 * Many jobs pass through and are forgotten: Redis ends as small as it was. They are ordered without keys, since a key is
 * remembered for a day by promise, and without webhooks.
 */
export const shortRetention: Scenario = {
  name: 'retention',
  about: 'twenty thousand jobs end and are forgotten',
  long: true,
  env: {
    MEDIA_TTL_S: String(retentionSeconds),
    RECORD_TTL_S: String(retentionSeconds),
    WORKER_CONCURRENCY: '16',
  },
  async run(stage) {
    const jobs = stage.short ? 300 : 20_000;
    // The first ones warm everything up that stays: scripts, connections, counters.
    await pass(stage, stage.short ? 50 : 500);
    const before = await memoryOf(stage);
    let peak = before;
    const watch = setInterval(() => {
      void memoryOf(stage).then((now) => {
        peak = Math.max(peak, now);
      });
    }, 5_000);
    await pass(stage, jobs).finally(() => clearInterval(watch));
    const after = await memoryOf(stage);
    const growth = after / before - 1;
    return [
      { figure: 'jobs', found: jobs },
      {
        figure: 'memory of Redis before, at its peak, after',
        found: [before, peak, after].map(inKiB).join(', '),
      },
      {
        figure: 'growth',
        found: `${(growth * 100).toFixed(1)} %`,
        allowed: `${share * 100} %`,
        ok: growth <= share,
      },
    ];
  },
};

const inKiB = (bytes: number) => `${Math.round(bytes / 1024)} KiB`;

/** Orders pictures and waits until they are made and forgotten. */
async function pass(stage: Stage, count: number): Promise<void> {
  let left = count;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      const body = {
        prompt: `Forgotten picture ${left} [studio:latency=1]`,
        metadata: { scenario: 'retention' },
      };
      const { status } = await stage.caller.call('POST', '/images', { body });
      if (status !== 202) throw new Error(`an order was answered ${status}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
  const kept = `${keyPrefix}:{acme}:due`;
  await until('every job is forgotten', sweepLimitMs, () =>
    askRedis(stage.fleet.redis.url, async (redis) => (await redis.zcard(kept)) === 0),
  );
}

function memoryOf(stage: Stage): Promise<number> {
  return askRedis(stage.fleet.redis.url, async (redis) => {
    await redis.memory('PURGE');
    return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
  });
}
