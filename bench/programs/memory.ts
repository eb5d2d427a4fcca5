import type { Child } from '../harness/child.ts';
import { describeMachine } from '../harness/machine.ts';
import type { Goal, Outcome, Program, RunOptions } from '../harness/program.ts';
import { startBenchRedis } from '../harness/redis.ts';
import { measureInRounds, type Results, type Variant } from '../harness/rounds.ts';
import { figure, table, times } from '../harness/table.ts';
import { holdUntil, imageSizeBytes, startProvider } from '../parts/provider.ts';
import { emptyBucket, startS3 } from '../parts/s3.ts';
import { type Service, startServices } from '../parts/service.ts';

const imagesInFlight = [16, 32, 64] as const;
const controlInFlight = 16;
const wavesAtLeast = 2;
const jobsAtLeast = 64;

/** Megabytes that a worker may use besides its images. */
const fixedMegabytes = 45;
const perDecodedByte = 2;

/** Measures the memory of a worker while images arrive. */
export const memory: Program = {
  name: 'memory',
  title: 'peak RSS of a fresh worker above idle, all images of a wave returned at once',
  run,
};

type Figure = 'idleMb' | 'peakMb' | 'aboveMb';

async function run(options: RunOptions): Promise<Outcome> {
  const { closers } = options;
  const redis = await startBenchRedis(closers, options.say);
  const s3 = await startS3(closers);
  const provider = await startProvider(closers);
  const services = await startServices({ redis, s3Url: s3.url, providerUrl: provider.url }, closers);
  const variantOf = (service: Service, inFlight: number, suffix = ''): Variant<Figure> => ({
    name: `${service.name} ${inFlight}${suffix}`,
    measure: () => measureWorker(service, inFlight, { s3, provider }),
  });
  const { darkroom, tutorial } = services;
  const results = await measureInRounds(
    [
      ...imagesInFlight.flatMap((inFlight) => [variantOf(tutorial, inFlight), variantOf(darkroom, inFlight)]),
      variantOf(darkroom, controlInFlight, ' again'),
    ],
    options,
  );
  const imageMb = (await imageSizeBytes(provider)) / 1e6;
  return outcomeOf(results, imageMb, describeMachine(redis.version, Date.now()));
}

/** Starts a new worker for every measurement, because heap left by earlier images would count as idle memory. */
async function measureWorker(
  service: Service,
  inFlight: number,
  environment: { s3: Child; provider: Child },
): Promise<Record<Figure, number>> {
  const jobs = Math.max(jobsAtLeast, inFlight * wavesAtLeast);
  await holdUntil(environment.provider, inFlight);
  const worker = await service.startWorker(inFlight);
  try {
    await worker.query('forgetPeak');
    const idleMb = (await worker.usage()).rssBytes / 1e6;
    const ids = await Promise.all(Array.from({ length: jobs }, () => service.submit()));
    await Promise.all(ids.map((id) => service.ends.ended(id)));
    const peakMb = (await worker.usage()).peakRssBytes / 1e6;
    const stored = await emptyBucket(environment.s3);
    if (stored !== jobs) throw new Error(`${service.name} stored ${stored} images for ${jobs} jobs`);
    return { idleMb, peakMb, aboveMb: peakMb - idleMb };
  } finally {
    await worker.stop();
  }
}

function outcomeOf(results: Results<Figure>, imageMb: number, machine: string): Outcome {
  const inFlightOf = (name: string) => Number(/\d+/.exec(name)?.[0]);
  const rows = results.names.map((name) => {
    const decodedMb = inFlightOf(name) * imageMb;
    const aboveMb = results.median(name, 'aboveMb');
    return [
      name,
      figure(decodedMb),
      figure(results.median(name, 'idleMb')),
      figure(results.median(name, 'peakMb')),
      figure(aboveMb),
      times(aboveMb / decodedMb),
      times(results.ratio(name, `tutorial ${inFlightOf(name)}`, 'aboveMb')),
    ];
  });
  const head = ['variant', 'decoded MB', 'idle MB', 'peak MB', 'above idle MB', 'of decoded', 'of tutorial'];
  return {
    tables: [machine, table(head, rows)],
    controls: [
      {
        what: `Darkroom ${controlInFlight} twice`,
        ratio: results.ratio(`Darkroom ${controlInFlight} again`, `Darkroom ${controlInFlight}`, 'aboveMb'),
      },
    ],
    goals: imagesInFlight.map(
      (inFlight): Goal => ({
        what: `peak above idle with ${inFlight} images in flight`,
        value: results.median(`Darkroom ${inFlight}`, 'aboveMb'),
        sense: 'at most',
        limit: fixedMegabytes + perDecodedByte * inFlight * imageMb,
        unit: 'MB',
      }),
    ),
  };
}
