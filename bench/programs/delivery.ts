import type { Closers } from '../../src/lib/closers.ts';
import { type Child, startChild } from '../harness/child.ts';
import { describeMachine } from '../harness/machine.ts';
import type { Outcome, Program, RunOptions } from '../harness/program.ts';
import { startBenchRedis } from '../harness/redis.ts';
import { measureInRounds, type Results, type Variant } from '../harness/rounds.ts';
import { percentile } from '../harness/statistics.ts';
import { figure, table } from '../harness/table.ts';
import { authorization, startDarkroom } from '../parts/darkroom.ts';
import { callDropIn, type DropIn } from '../parts/drop-in.ts';
import { imageSizeBytes, startProvider } from '../parts/provider.ts';
import { startS3 } from '../parts/s3.ts';
import { watchSendQueues } from '../parts/send-queues.ts';

const clients = 64;
const imagesEach = 4;
const workerConcurrency = 16;
const readsAlone = 300;
const fixedMegabytes = 45;
const perQueuedByte = 1.5;
const maxLoopDelayMs = 20;
const maxReadRatio = 2;

/** Measures the API process while it sends the images of many clients at once. */
export const delivery: Program = {
  name: 'delivery',
  title: `${clients} clients of /v1 get ${imagesEach} stored images each, all at once, from one API process`,
  run,
};

type Figure = 'aboveMb' | 'queuedMb' | 'limitMb' | 'loopP99Ms' | 'readP99Ms' | 'readAloneP99Ms' | 'seconds';

async function run(options: RunOptions): Promise<Outcome> {
  const { closers } = options;
  const redis = await startBenchRedis(closers, options.say);
  const s3 = await startS3(closers);
  const provider = await startProvider(closers);
  const imageBytes = await imageSizeBytes(provider);
  const worker = {
    role: 'worker',
    concurrency: workerConcurrency,
    providerUrl: provider.url,
    s3Url: s3.url,
  } as const;
  await startDarkroom(redis, worker, closers);
  const api = await startDarkroom(redis, { role: 'api', s3Url: s3.url }, closers);
  const darkroom = await startDelivery(api, imageBytes, closers);
  options.say('generating the images');
  // Each client then gets its images again, by its key, so that all responses begin together.
  await all(darkroom.server);
  const variants = ['Darkroom', 'Darkroom again'].map(
    (name): Variant<Figure> => ({ name, measure: () => measureDelivery(darkroom) }),
  );
  const results = await measureInRounds(variants, options);
  return outcomeOf(results, describeMachine(redis.version, Date.now()));
}

/** A server, and a process that reads from it as another caller. */
interface Delivery {
  readonly server: DropIn;
  readonly reader: Child;
}

async function startDelivery(child: Child, imageBytes: number, closers: Closers): Promise<Delivery> {
  const server = callDropIn(child, { connections: clients, headers: {}, imageBytes }, closers);
  const env = { SERVICE_URL: child.url, AUTHORIZATION: authorization };
  const reader = closers.add(await startChild({ module: 'parts/reader.js', env }), (each) => each.stop());
  return { server, reader };
}

const all = (server: DropIn) =>
  Promise.all(Array.from({ length: clients }, (_, i) => server.generate(imagesEach, `client-${i}`)));

async function measureDelivery({ server, reader }: Delivery): Promise<Record<Figure, number>> {
  const { child } = server;
  const readAloneP99Ms = percentile(await reader.query<number[]>('read', readsAlone), 0.99);
  await child.query('forgetPeak');
  const idleMb = (await child.usage()).rssBytes / 1e6;
  await child.query('watchLoop');
  const queues = watchSendQueues(Number(new URL(child.url).port));
  const startMs = performance.now();
  await reader.query('begin');
  await all(server);
  const reads = await reader.query<number[]>('end');
  const seconds = (performance.now() - startMs) / 1000;
  const queuedMb = queues.stop() / 1e6;
  const aboveMb = (await child.usage()).peakRssBytes / 1e6 - idleMb;
  return {
    aboveMb,
    queuedMb,
    limitMb: fixedMegabytes + perQueuedByte * queuedMb,
    loopP99Ms: await child.query<number>('loopP99Ms'),
    readP99Ms: percentile(reads, 0.99),
    readAloneP99Ms,
    seconds,
  };
}

function outcomeOf(results: Results<Figure>, machine: string): Outcome {
  const columns: readonly Figure[] = [
    'seconds',
    'aboveMb',
    'queuedMb',
    'loopP99Ms',
    'readP99Ms',
    'readAloneP99Ms',
  ];
  const rows = results.names.map((name) => [
    name,
    ...columns.map((column) => figure(results.median(name, column))),
  ]);
  const head = [
    'variant',
    's',
    'above idle MB',
    'queued MB',
    'loop p99 ms',
    'read p99 ms',
    'read alone p99 ms',
  ];
  const of = (name: Figure) => results.median('Darkroom', name);
  return {
    tables: [machine, table(head, rows)],
    controls: [
      { what: 'Darkroom twice, time', ratio: results.ratio('Darkroom again', 'Darkroom', 'seconds') },
    ],
    goals: [
      { what: 'peak above idle', value: of('aboveMb'), sense: 'at most', limit: of('limitMb'), unit: 'MB' },
      { what: 'event loop p99', value: of('loopP99Ms'), sense: 'at most', limit: maxLoopDelayMs, unit: 'ms' },
      {
        what: 'p99 of reads beside the deliveries, by that of reads alone',
        value: of('readP99Ms') / of('readAloneP99Ms'),
        sense: 'at most',
        limit: maxReadRatio,
        unit: 'x',
      },
    ],
  };
}
