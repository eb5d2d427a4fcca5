import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from '../harness/child.ts';
import { describeMachine } from '../harness/machine.ts';
import type { Outcome, Program, RunOptions } from '../harness/program.ts';
import { startBenchRedis } from '../harness/redis.ts';
import { measureInRounds, type Results, type Variant } from '../harness/rounds.ts';
import { percentile } from '../harness/statistics.ts';
import { figure, table, times } from '../harness/table.ts';
import { imageSizeBytes, providerLatencyMs, startProvider } from '../parts/provider.ts';
import { emptyBucket, startS3 } from '../parts/s3.ts';
import { type Service, startServices, startTutorial } from '../parts/service.ts';
import { type CalledAround, startTwoCalls, startTwoCallsWorker } from '../parts/two-calls.ts';

const secondsPerMeasurement = 8;
/**
 * Number of warm-up jobs. After them the first growth of the heap is over. Collecting a young heap costs a service
 * least.
 */
const warmUpJobs = 500;
const warmUpJobsPerSecond = 50;
const concurrency = 32;
const least = 'two calls';
const leastQueued = 'two calls, queued';

/** Measures the time that a service adds to the latency of the provider. */
export const overhead: Program = {
  name: 'overhead',
  title: `end to end, provider latency ${providerLatencyMs} ms, at most ${concurrency} in flight`,
  run,
};

type Figure = 'p50Ms' | 'p99Ms' | 'workerMs' | 'apiMs';

/** A service or process that generates images. */
interface Maker {
  /** Generates one image. @returns the milliseconds above the latency of the provider. */
  make(): Promise<number>;
  /** The process that calls the provider. */
  readonly worker: Child;
  readonly api?: Child;
}

async function run(options: RunOptions): Promise<Outcome> {
  const { closers, pace, jobsPerSecond } = options;
  const redis = await startBenchRedis(closers, options.say);
  const s3 = await startS3(closers);
  const provider = await startProvider(closers);
  const environment = { redis, s3Url: s3.url, providerUrl: provider.url };
  const called = { ...environment, imageSizeBytes: await imageSizeBytes(provider) };
  const { darkroom, tutorial } = await startServices(environment, closers);
  const twoCalls = await startTwoCalls(called, closers);
  const darkroomMaker = await makerOf(darkroom);
  const makers: Readonly<Record<string, Maker>> = {
    [least]: { worker: twoCalls.process, make: () => overheadOf(twoCalls.make()) },
    [leastQueued]: await makerOf(await startQueuedTwoCalls(called, options)),
    tutorial: await makerOf(tutorial),
    Darkroom: darkroomMaker,
    'Darkroom again': darkroomMaker,
  };

  options.say('warming up');
  for (const maker of new Set(Object.values(makers))) {
    await measureJobs(maker, warmUpJobs * pace, warmUpJobsPerSecond);
    await emptyBucket(s3);
  }
  const variants = Object.entries(makers).map(
    ([name, maker]): Variant<Figure> => ({
      name,
      async measure() {
        const jobs = Math.round(jobsPerSecond * secondsPerMeasurement * pace);
        const figures = await measureJobs(maker, jobs, jobsPerSecond);
        const stored = await emptyBucket(s3);
        if (stored !== jobs) throw new Error(`${name} stored ${stored} images for ${jobs} jobs`);
        return figures;
      },
    }),
  );
  const results = await measureInRounds(variants, options);
  const megabytes = (called.imageSizeBytes / 1e6).toFixed(2);
  return outcomeOf(
    results,
    `${describeMachine(redis.version, Date.now())}; ${jobsPerSecond} jobs/s, 1024x1024 PNG of ${megabytes} MB`,
  );
}

async function makerOf(service: Service): Promise<Maker> {
  return {
    worker: await service.startWorker(concurrency),
    api: service.api,
    make: () => overheadOfJob(service),
  };
}

/** Runs the two calls behind the API and queue of the tutorial, with a separate Redis. */
async function startQueuedTwoCalls(
  environment: CalledAround,
  { closers, say }: Pick<RunOptions, 'closers' | 'say'>,
): Promise<Service> {
  const redis = await startBenchRedis(closers, say);
  const tutorial = await startTutorial({ ...environment, redis }, closers);
  return {
    ...tutorial,
    startWorker: (inFlight) => startTwoCallsWorker({ ...environment, redis }, inFlight, closers),
  };
}

/** Submits jobs at a constant rate, even if some fail, and waits for all of them. */
async function measureJobs(
  { make, worker, api }: Maker,
  jobs: number,
  perSecond: number,
): Promise<Record<Figure, number>> {
  const usage = () => Promise.all([worker.usage(), api?.usage() ?? { cpuMicros: 0 }]);
  const before = await usage();
  const startMs = performance.now();
  const running: Promise<number>[] = [];
  for (let count = 0; count < jobs; count += 1) {
    await sleep(startMs + (count * 1000) / perSecond - performance.now());
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

/** Returns the time from the request until the end of the job is seen, without the latency of the provider. */
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
    times(results.ratioAbove(least, { name, baseline: 'tutorial' }, 'p50Ms')),
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
        value: results.ratioAbove(least, { name: 'Darkroom', baseline: 'tutorial' }, 'p50Ms'),
        sense: 'at most',
        limit: 0.5,
        unit: 'x',
      },
    ],
  };
}
