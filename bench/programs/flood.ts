import { createKeys } from '../../src/outbound/records/keys.ts';
import { type Child, startChild } from '../harness/child.ts';
import { type HttpFigure, type LoadLength, loadHttp, warmUp } from '../harness/http-load.ts';
import { describeMachine } from '../harness/machine.ts';
import type { Outcome, Program, RunOptions } from '../harness/program.ts';
import { type BenchRedis, startBenchRedis } from '../harness/redis.ts';
import { measureInRounds, type Results } from '../harness/rounds.ts';
import { figure, table, times } from '../harness/table.ts';
import { keyPrefix, startDarkroom, tenant } from '../parts/darkroom.ts';
import { createManagedKey } from '../parts/managed-key.ts';

/** Measurements are short and many, because a change of speed of the machine then meets all variants. */
const secondsPerMeasurement = 2;
const measurementsPerRound = 3;
const limitPerMinute = 600;
const warmUpRequests = 1_000;
const floodPerSecond = (10 * limitPerMinute) / 60;
/** Throughput that the other key must keep. */
const minRatio = 0.95;
/** Maximum CPU time of a refusal by that of an accepted request. */
const maxRefusalCost = 0.5;
const body = JSON.stringify({ prompt: 'A lighthouse in a storm, oil on canvas' });

const beside = 'beside the flood';
/** The same flood of a server that refuses everything. Its sender and the kernel need the same cores. */
const elsewhere = 'beside a flood elsewhere';

type Figure = HttpFigure | 'passedPerSecond' | 'refusedPerSecond';

/** Measures what a key that sends ten times its limit takes from another key of its tenant. */
export const flood: Program = {
  name: 'flood',
  title: `POST /images with one key, 64 connections, beside ${floodPerSecond} requests a second of a key that may send ${limitPerMinute / 60}`,
  run,
};

async function run(options: RunOptions): Promise<Outcome> {
  const redis = await startBenchRedis(options.closers, options.say);
  const api = await startDarkroom(redis, { role: 'api' }, options.closers);
  const length = { seconds: secondsPerMeasurement * options.pace };
  const other = options.closers.add(await startChild({ module: 'parts/hello-server.js', env: {} }), (each) =>
    each.stop(),
  );
  const floods = {
    alone: null,
    'alone again': null,
    [elsewhere]: other,
    [beside]: api,
  };
  const variants = Object.entries(floods).map(([name, flooded]) => ({
    name,
    measure: (given: LoadLength = length) => measure({ api, redis, options }, flooded, given),
  }));
  const refusals = {
    name: 'refusals',
    measure: (given: LoadLength = length) => measureRefusals({ api, redis, options }, given),
  };
  options.say('warming up');
  for (const variant of [...variants, refusals]) await variant.measure(warmUp(options.pace));
  const rounds = options.rounds * measurementsPerRound;
  const results = await measureInRounds([...variants, refusals], { ...options, rounds });
  return outcomeOf(results, describeMachine(redis.version, Date.now()));
}

interface Place {
  readonly api: Child;
  readonly redis: BenchRedis;
  readonly options: RunOptions;
}

/** Loads the service with one key, beside a flood of another key or of another server. The keys are new, because Redis is cleared. */
async function measure(
  place: Place,
  flooded: Child | null,
  length: LoadLength,
): Promise<Record<Figure, number>> {
  const { api, redis } = place;
  const { authorization } = await createManagedKey(api, { name: 'other' });
  const headers = { 'content-type': 'application/json', authorization };
  const sender = flooded ? await startFlood(place, flooded) : null;
  const startMs = performance.now();
  const figures = await loadHttp(
    { server: api, path: '/images', method: 'POST', headers, body, status: 202 },
    redis,
    length,
  );
  const seconds = (performance.now() - startMs) / 1000;
  const { 202: passed = 0, 429: refused = 0, ...others } = (await sender?.stop()) ?? {};
  if (Object.keys(others).length > 0) throw new Error(`the flood got ${JSON.stringify(others)}`);
  await redis.clear();
  return { ...figures, passedPerSecond: passed / seconds, refusedPerSecond: refused / seconds };
}

/** Loads the service with a key whose quota is used up, so that every request is refused. */
async function measureRefusals({ api, redis }: Place, length: LoadLength): Promise<Record<Figure, number>> {
  const limits = { requests_per_minute: 1 };
  const { id, authorization } = await createManagedKey(api, { name: 'refused', limits });
  await useUp(redis, id, 1);
  const headers = { 'content-type': 'application/json', authorization };
  const figures = await loadHttp(
    { server: api, path: '/images', method: 'POST', headers, body, status: 429 },
    redis,
    length,
  );
  await redis.clear();
  return { ...figures, passedPerSecond: 0, refusedPerSecond: figures.perSecond };
}

/** Uses up the quota of a key. It is whole again in a minute. */
async function useUp({ client }: BenchRedis, keyId: string, limit: number): Promise<void> {
  const rate = createKeys(keyPrefix).requestRate(tenant, keyId, limit);
  await client.set(rate, Date.now() + 60_000, 'EX', 60);
}

/** Starts a flood by a key whose quota is used up. `stop` resolves with the number of responses by status. */
async function startFlood({ api, redis, options }: Place, flooded: Child) {
  const limits = { requests_per_minute: limitPerMinute };
  const { id, authorization } = await createManagedKey(api, { name: 'flood', limits });
  // The whole quota would let the first requests of the flood pass.
  await useUp(redis, id, limitPerMinute);
  const env = {
    SERVICE_URL: flooded.url,
    AUTHORIZATION: authorization,
    BODY: body,
    PER_SECOND: String(floodPerSecond),
  };
  const child = options.closers.add(await startChild({ module: 'parts/flood-sender.js', env }), (each) =>
    each.stop(),
  );
  await child.query('warmUp', warmUpRequests);
  await child.query('begin');
  return {
    async stop() {
      const counts = await child.query<Record<number, number>>('end');
      await child.stop();
      return counts;
    },
  };
}

function outcomeOf(results: Results<Figure>, machine: string): Outcome {
  const columns = [
    'perSecond',
    'p50Ms',
    'p99Ms',
    'nodeMicros',
    'redisMicros',
    'passedPerSecond',
    'refusedPerSecond',
  ] as const;
  const rows = results.names.map((name) => [
    name,
    ...columns.map((each) => figure(results.median(name, each))),
    times(results.ratio(name, 'alone', 'perSecond')),
    times(results.ratio(name, elsewhere, 'perSecond')),
  ]);
  const head = ['the other key', 'req/s', 'p50 ms', 'p99 ms', 'Node us', 'Redis us'];
  return {
    tables: [machine, table([...head, 'flood 202/s', 'flood 429/s', 'of alone', 'of elsewhere'], rows)],
    controls: [{ what: 'alone twice', ratio: results.ratio('alone again', 'alone', 'perSecond') }],
    goals: [
      {
        what: 'requests per second beside the flood, by those beside a flood elsewhere',
        value: results.ratio(beside, elsewhere, 'perSecond'),
        sense: 'at least',
        limit: minRatio,
        unit: 'x',
      },
      {
        what: 'CPU of a refusal, by that of an accepted request',
        value: results.ratio('refusals', 'alone', 'cpuMicros'),
        sense: 'at most',
        limit: maxRefusalCost,
        unit: 'x',
      },
    ],
  };
}
