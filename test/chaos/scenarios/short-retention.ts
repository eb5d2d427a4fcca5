import { queryRedis } from '../../support/redis.ts';
import { keyPrefix } from '../fleet/fleet.ts';
import { type Scenario, type Stage, until } from '../scenario.ts';

const retentionSeconds = 60;
const limitMs = 20 * 60_000;
const scopes = 16;
const share = 0.1;

/** How many jobs end in which way. Those that are not made cost no call, which is where most of the time would go. */
const counts = {
  warmUp: { made: 500, canceled: 500, expired: 500 },
  full: { made: 20_000, canceled: 40_000, expired: 40_000 },
  shortWarmUp: { made: 50, canceled: 50, expired: 50 },
  short: { made: 200, canceled: 100, expired: 100 },
} as const;
type Counts = Readonly<Record<'made' | 'canceled' | 'expired', number>>;

/**
 * Many jobs pass through and are forgotten: Redis ends as small as it was. They are ordered without keys, since a key is
 * remembered for a day by promise, and without webhooks.
 */
export const shortRetention: Scenario = {
  name: 'retention',
  about: 'a hundred thousand jobs end and are forgotten',
  long: true,
  env: {
    MEDIA_TTL_S: String(retentionSeconds),
    RECORD_TTL_S: String(retentionSeconds),
    WORKER_CONCURRENCY: '16',
  },
  async run(stage) {
    const jobs = stage.short ? counts.short : counts.full;
    // The first ones warm everything up that stays: scripts, connections, counters.
    await pass(stage, stage.short ? counts.shortWarmUp : counts.warmUp);
    const before = await memoryOf(stage);
    const callsBefore = stage.fleet.provider.charges().length;
    let peak = before;
    const watch = setInterval(() => {
      void memoryOf(stage).then((now) => {
        peak = Math.max(peak, now);
      });
    }, 5_000);
    await pass(stage, jobs).finally(() => clearInterval(watch));
    const after = await memoryOf(stage);
    const growth = after / before - 1;
    const calls = stage.fleet.provider.charges().length - callsBefore;
    return [
      { figure: 'jobs', found: jobs.made + jobs.canceled + jobs.expired },
      { figure: 'of these made', found: calls, allowed: String(jobs.made), ok: calls === jobs.made },
      { figure: 'of these canceled', found: jobs.canceled },
      { figure: 'of these expired', found: jobs.expired },
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

/** Orders images, has so many of them made, canceled and expire, and waits until all are forgotten. */
async function pass(stage: Stage, { made, canceled, expired }: Counts): Promise<void> {
  const { workers } = stage.fleet;
  await inScopes(made, async () => void (await generate(stage)));
  await until('every job is made', limitMs, async () => (await sizeOf(stage, 'open')) === 0);
  // Nobody takes a job meanwhile, so that none of these is made. The webhooks process does the upkeep.
  for (const worker of workers) worker.pause();
  try {
    await inScopes(canceled, async () => {
      const { status, body } = await stage.caller.call('POST', `/images/${await generate(stage)}/cancel`);
      const { status: end } = JSON.parse(body.toString()) as { status?: string };
      if (end !== 'canceled') throw new Error(`a cancellation was answered ${status}, the job is ${end}`);
    });
    await inScopes(expired, async () => void (await generate(stage, { queue_ttl_s: 1 })));
    await until('every job has expired', limitMs, async () => (await sizeOf(stage, 'open')) === 0);
  } finally {
    for (const worker of workers) worker.resume();
  }
  await until('every job is forgotten', limitMs, async () => (await sizeOf(stage, 'due')) === 0);
}

/** Orders an image. @returns the id of the job. */
async function generate({ caller }: Stage, wishes: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const prompt = 'Forgotten image [studio:latency=1]';
  const body = { prompt, metadata: { scenario: 'retention' }, ...wishes };
  const response = await caller.call('POST', '/images', { body });
  if (response.status !== 202) throw new Error(`an order was answered ${response.status}`);
  return (JSON.parse(response.body.toString()) as { id: string }).id;
}

/** Does something so many times, several at once. */
async function inScopes(times: number, work: () => Promise<void>): Promise<void> {
  let left = times;
  const scope = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: scopes }, scope));
}

/** How many jobs stand in an index of the tenant. */
function sizeOf({ fleet }: Stage, index: 'open' | 'due'): Promise<number> {
  return queryRedis(fleet.redis.url, (redis) => redis.zcard(`${keyPrefix}:{acme}:${index}`));
}

function memoryOf(stage: Stage): Promise<number> {
  return queryRedis(stage.fleet.redis.url, async (redis) => {
    await redis.memory('PURGE');
    return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
  });
}
