import { setTimeout as sleep } from 'node:timers/promises';
import { describeMachine } from '../harness/machine.ts';
import type { Outcome, Program, RunOptions } from '../harness/program.ts';
import { startBenchRedis } from '../harness/redis.ts';
import { measureInRounds, type Results, type Variant } from '../harness/rounds.ts';
import { percentile } from '../harness/statistics.ts';
import { figure, table, times } from '../harness/table.ts';
import { startDarkroom } from '../parts/darkroom.ts';
import { callDropIn, type DropIn, portkeyHeaders, startPortkey } from '../parts/drop-in.ts';
import { imageSizeBytes, providerLatencyMs, startProvider } from '../parts/provider.ts';
import { emptyBucket, startS3 } from '../parts/s3.ts';

/** Calls at the same time while the throughput is measured. */
const connections = 16;
const busyImages = 160;
/** Calls without others while the latency is measured. */
const calmImages = 20;
const calmPauseMs = 50;
const warmUpImages = 200;

/** Compares `/v1` with a gateway that only passes requests on. */
export const dropin: Program = {
  name: 'dropin',
  title: `images through OpenAI's API, provider latency ${providerLatencyMs} ms`,
  run,
};

type Figure = 'perSecond' | 'perCpuSecond' | 'cpuMs' | 'addedP50Ms' | 'addedP99Ms' | 'peakMb';

/** A server with the CPU time of everything that belongs to it, in microseconds. */
interface Measured extends DropIn {
  cpuMicros(): Promise<number>;
}

async function run(options: RunOptions): Promise<Outcome> {
  const { closers, pace } = options;
  const redis = await startBenchRedis(closers, options.say);
  const s3 = await startS3(closers);
  const provider = await startProvider(closers);
  const providerUrl = provider.url;
  const imageBytes = await imageSizeBytes(provider);
  const portkeyChild = await startPortkey(closers);
  const darkroomChild = await startDarkroom(
    redis,
    { role: 'all', concurrency: connections, providerUrl, s3Url: s3.url },
    closers,
  );
  const own = async (child: typeof portkeyChild) => (await child.usage()).cpuMicros;
  const called = { connections, imageBytes };
  const portkey: Measured = {
    ...callDropIn(portkeyChild, { ...called, headers: portkeyHeaders(providerUrl) }, closers),
    cpuMicros: () => own(portkeyChild),
  };
  const darkroom: Measured = {
    ...callDropIn(darkroomChild, { ...called, headers: {} }, closers),
    cpuMicros: async () => (await own(darkroomChild)) + (await redis.cpuMicros()),
  };
  options.say('warming up');
  for (const server of [portkey, darkroom]) await generateMany(server, warmUpImages * pace);
  await emptyBucket(s3);

  const variants = { Portkey: portkey, Darkroom: darkroom, 'Darkroom again': darkroom };
  const results = await measureInRounds(
    Object.entries(variants).map(
      ([name, server]): Variant<Figure> => ({
        name,
        async measure() {
          const figures = await measureServer(server, pace);
          await emptyBucket(s3);
          return figures;
        },
      }),
    ),
    options,
  );
  return outcomeOf(results, describeMachine(redis.version, Date.now()));
}

async function measureServer(server: Measured, pace: number): Promise<Record<Figure, number>> {
  const added: number[] = [];
  for (let i = 0; i < calmImages * pace; i += 1) {
    added.push((await server.generate()) - providerLatencyMs);
    await sleep(calmPauseMs);
  }
  await server.child.query('forgetPeak');
  const beforeMicros = await server.cpuMicros();
  const startMs = performance.now();
  const images = Math.ceil(busyImages * pace);
  await generateMany(server, images);
  const seconds = (performance.now() - startMs) / 1000;
  const cpuSeconds = ((await server.cpuMicros()) - beforeMicros) / 1e6;
  return {
    perSecond: images / seconds,
    perCpuSecond: images / cpuSeconds,
    cpuMs: (cpuSeconds / images) * 1000,
    addedP50Ms: percentile(added, 0.5),
    addedP99Ms: percentile(added, 0.99),
    peakMb: (await server.child.usage()).peakRssBytes / 1e6,
  };
}

/** Generates images on all connections, each of which begins the next call after its last one. */
async function generateMany(server: DropIn, images: number): Promise<void> {
  let left = Math.ceil(images);
  const work = async () => {
    while (left > 0) {
      left -= 1;
      await server.generate();
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
}

function outcomeOf(results: Results<Figure>, machine: string): Outcome {
  const columns: readonly Figure[] = ['perSecond', 'cpuMs', 'addedP50Ms', 'addedP99Ms', 'peakMb'];
  const rows = results.names.map((name) => [
    name,
    ...columns.map((column) => figure(results.median(name, column))),
    times(results.ratio(name, 'Portkey', 'perCpuSecond')),
    times(results.ratio(name, 'Portkey', 'addedP50Ms')),
  ]);
  const head = [
    'variant',
    'images/s',
    'CPU ms',
    'added p50 ms',
    'added p99 ms',
    'peak MB',
    'per CPU s',
    'p50',
  ];
  return {
    tables: [machine, table(head, rows)],
    controls: [
      { what: 'Darkroom twice, CPU', ratio: results.ratio('Darkroom again', 'Darkroom', 'cpuMs') },
      { what: 'Darkroom twice, p50', ratio: results.ratio('Darkroom again', 'Darkroom', 'addedP50Ms') },
    ],
    goals: [
      {
        what: "images per CPU second by Portkey's",
        value: results.ratio('Darkroom', 'Portkey', 'perCpuSecond'),
        sense: 'at least',
        limit: 3,
        unit: 'x',
      },
      {
        what: "added latency p50 by Portkey's",
        value: results.ratio('Darkroom', 'Portkey', 'addedP50Ms'),
        sense: 'at most',
        limit: 0.5,
        unit: 'x',
      },
    ],
  };
}
