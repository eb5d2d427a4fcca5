import { queryRedis } from '../../support/redis.ts';
import { keyPrefix } from '../fleet/fleet.ts';
import { type Scenario, type Stage, until } from '../scenario.ts';

const retentionSeconds = 60;
const limitMs = 20 * 60_000;
const maxConcurrent = 16;
const share = 0.1;

/** Number of jobs by end. Canceled and expired jobs need no call, which would take most of the time. */
const counts = {
  warmUp: { succeeded: 500, canceled: 500, expired: 500 },
  full: { succeeded: 20_000, canceled: 40_000, expired: 40_000 },
  shortWarmUp: { succeeded: 50, canceled: 50, expired: 50 },
  short: { succeeded: 200, canceled: 100, expired: 100 },
} as const;
type Counts = Readonly<Record<'succeeded' | 'canceled' | 'expired', number>>;

/**
 * Runs many jobs to the end of their retention. Redis must not grow. The jobs have no Idempotency-Key, because a key is
 * stored for a day, and no webhooks.
 */
export const shortRetention: Scenario = {
  name: 'retention',
  about: 'runs a hundred thousand jobs to the end of their retention',
  long: true,
  env: {
    MEDIA_TTL_S: String(retentionSeconds),
    RECORD_TTL_S: String(retentionSeconds),
    WORKER_CONCURRENCY: '16',
  },
  async run(stage) {
    const jobs = stage.short ? counts.short : counts.full;
    // The first jobs create everything that stays in memory: scripts, connections, counters.
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
      { figure: 'jobs', found: jobs.succeeded + jobs.canceled + jobs.expired },
      {
        figure: 'of these succeeded',
        found: calls,
        allowed: String(jobs.succeeded),
        ok: calls === jobs.succeeded,
      },
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

/** Submits jobs, of which so many succeed, are canceled or expire, and waits until all records are purged. */
async function pass(stage: Stage, { succeeded, canceled, expired }: Counts): Promise<void> {
  const { workers } = stage.fleet;
  await repeat(succeeded, async () => void (await submit(stage)));
  await until('every job has succeeded', limitMs, async () => (await sizeOf(stage, 'open')) === 0);
  // Paused workers run none of these jobs. The webhooks process does the maintenance.
  for (const worker of workers) worker.pause();
  try {
    await repeat(canceled, async () => {
      const { status, body } = await stage.caller.call('POST', `/images/${await submit(stage)}/cancel`);
      const { status: end } = JSON.parse(body.toString()) as { status?: string };
      if (end !== 'canceled') throw new Error(`a cancel request got ${status}, the job is ${end}`);
    });
    await repeat(expired, async () => void (await submit(stage, { queue_ttl_s: 1 })));
    await until('every job has expired', limitMs, async () => (await sizeOf(stage, 'open')) === 0);
  } finally {
    for (const worker of workers) worker.resume();
  }
  await until('every record is purged', limitMs, async () => (await sizeOf(stage, 'due')) === 0);
}

/** Submits a job. @returns its id. */
async function submit({ caller }: Stage, fields: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const prompt = 'Purged image [studio:latency=1]';
  const body = { prompt, metadata: { scenario: 'retention' }, ...fields };
  const response = await caller.call('POST', '/images', { body });
  if (response.status !== 202) throw new Error(`a submission got ${response.status}`);
  return (JSON.parse(response.body.toString()) as { id: string }).id;
}

/** Repeats an operation so many times with limited concurrency. */
async function repeat(times: number, work: () => Promise<void>): Promise<void> {
  let left = times;
  const loop = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: maxConcurrent }, loop));
}

/** Returns the number of jobs in an index of the tenant. */
function sizeOf({ fleet }: Stage, index: 'open' | 'due'): Promise<number> {
  return queryRedis(fleet.redis.url, (redis) => redis.zcard(`${keyPrefix}:{acme}:${index}`));
}

function memoryOf(stage: Stage): Promise<number> {
  return queryRedis(stage.fleet.redis.url, async (redis) => {
    await redis.memory('PURGE');
    return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
  });
}
