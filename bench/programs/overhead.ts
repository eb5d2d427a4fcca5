import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from '../harness/child.ts';
import { describeMachine } from '../harness/machine.ts';
import type { Outcome, Program, RunOptions } from '../harness/program.ts';
import { startBenchRedis } from '../harness/redis.ts';
import { measureInRounds, type Results } from '../harness/rounds.ts';
import { percentile } from '../harness/statistics.ts';
import { figure, table, times } from '../harness/table.ts';
import { pictureBytes, providerLatencyMs, startProvider } from '../parts/provider.ts';
import { emptyBucket, startS3 } from '../parts/s3.ts';
import { type Service, startServices } from '../parts/service.ts';
import { startTwoCalls } from '../parts/two-calls.ts';

const jobsPerSecond = 20;
const secondsPerMeasurement = 8;
const warmUpSeconds = 2;
const concurrency = 32;
const least = 'two calls';

/** What a service adds to the provider's own time. */
export const overhead: Program = {
  name: 'overhead',
  title: `${jobsPerSecond} jobs/s end to end, provider latency ${providerLatencyMs} ms, at most ${concurrency} in flight`,
  run,
};

type Figure = 'p50Ms' | 'p99Ms' | 'workerMs' | 'apiMs';

async function run(options: RunOptions): Promise<Outcome> {
  const { closers, pace } = options;
  const redis = await startBenchRedis(closers, options.say);
  const s3 = await startS3(closers);
  const provider = await startProvider(closers);
  const around = { redis, s3Url: s3.url, providerUrl: provider.url };
  const { darkroom, tutorial } = await startServices(around, closers);
  const bytes = await pictureBytes(provider);
  const twoCalls = await startTwoCalls({ ...around, pictureBytes: bytes }, closers);
  const variantOf = (name: string, make: () => Promise<number>, worker: Child, api?: Child) => ({
    name,
    async measure(seconds = secondsPerMeasurement * pace) {
      const jobs = Math.round(jobsPerSecond * seconds);
      const figures = await measureJobs(make, jobs, worker, api);
      const stored = await emptyBucket(s3);
      if (stored !== jobs) throw new Error(`${name} stored ${stored} pictures for ${jobs} jobs`);
      return figures;
    },
  });
  const darkroomWorker = await darkroom.startWorker(concurrency);
  const variantOfService = (name: string, service: Service, worker: Child) =>
    variantOf(name, () => overheadOfJob(service), worker, service.api);
  const variants = [
    variantOf(least, () => overheadOf(twoCalls.make()), twoCalls.process),
    variantOfService('tutorial', tutorial, await tutorial.startWorker(concurrency)),
    variantOfService('Darkroom', darkroom, darkroomWorker),
    variantOfService('Darkroom again', darkroom, darkroomWorker),
  ];
  options.say('warming up');
  for (const variant of variants) await variant.measure(warmUpSeconds);
  const megabytes = (bytes / 1e6).toFixed(2);
  const results = await measureInRounds(variants, options);
  return outcomeOf(
    results,
    `${describeMachine(redis.version, Date.now())}; 1024x1024 PNG of ${megabytes} MB`,
  );
}

/** Submits jobs at even distances, whatever becomes of them, and waits for all of them. */
async function measureJobs(
  make: () => Promise<number>,
  jobs: number,
  worker: Child,
  api?: Child,
): Promise<Record<Figure, number>> {
  const usage = () => Promise.all([worker.usage(), api?.usage() ?? { cpuMicros: 0 }]);
  const before = await usage();
  const startMs = performance.now();
  const running: Promise<number>[] = [];
  for (let count = 0; count < jobs; count += 1) {
    await sleep(startMs + (count * 1000) / jobsPerSecond - performance.now());
    running.push(make());
  }
  const overheads = await Promise.all(running);
  const after = await usage();
  const cpuMs = (at: 0 | 1) => (after[at].cpuMicros - before[at].cpuMicros) / 1000 / jobs;
  return {
    p50Ms: percentile(overheads, 0.5),
    p99Ms: percentile(overheads, 0.99),
    workerMs: cpuMs(0),
    apiMs: cpuMs(1),
  };
}

async function overheadOf(work: Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work;
  return performance.now() - startMs - providerLatencyMs;
}

/** From the moment the request is sent until the job is seen to have ended, without the provider's time. */
async function overheadOfJob(service: Service): Promise<number> {
  const sentMs = performance.now();
  const id = await service.submit();
  return (await service.ends.ended(id)) - sentMs - providerLatencyMs;
}

function outcomeOf(results: Results<Figure>, machine: string): Outcome {
  const rows = results.names.map((name) => [
    name,
    ...(['p50Ms', 'p99Ms', 'workerMs', 'apiMs'] as const).map((each) => figure(results.median(name, each))),
    ...(['p50Ms', 'p99Ms', 'workerMs'] as const).map((each) => times(results.ratio(name, 'tutorial', each))),
    times(results.ratioAbove(least, name, 'tutorial', 'p50Ms')),
  ]);
  const head = [
    'variant',
    'p50 ms',
    'p99 ms',
    'worker CPU ms',
    'API CPU ms',
    'p50 of tutorial',
    'p99',
    'CPU',
    'p50 above least',
  ];
  return {
    tables: [machine, table(head, rows)],
    controls: [{ what: 'Darkroom twice', ratio: results.ratio('Darkroom again', 'Darkroom', 'p50Ms') }],
    goals: [
      {
        what: 'overhead p50 by the tutorial’s',
        value: results.ratio('Darkroom', 'tutorial', 'p50Ms'),
        sense: 'at most',
        limit: 0.5,
        unit: 'x',
      },
      {
        what: 'the same above the two calls',
        value: results.ratioAbove(least, 'Darkroom', 'tutorial', 'p50Ms'),
        sense: 'at most',
        limit: 0.5,
        unit: 'x',
      },
    ],
  };
}
