import { request } from 'undici';
import type { Closers } from '../../src/lib/closers.ts';
import { createKeys } from '../../src/outbound/records/keys.ts';
import { type Child, startChild } from '../harness/child.ts';
import { type EndWatch, watchEnds } from '../harness/end-watch.ts';
import { describeMachine } from '../harness/machine.ts';
import type { Outcome, Program, RunOptions } from '../harness/program.ts';
import { type BenchRedis, startBenchRedis } from '../harness/redis.ts';
import { measureInRounds, type Results, type Variant } from '../harness/rounds.ts';
import { percentile } from '../harness/statistics.ts';
import { figure, table } from '../harness/table.ts';
import { authorization, createDataDir, keyPrefix, startDarkroom, tenant } from '../parts/darkroom.ts';
import { startProvider } from '../parts/provider.ts';
import { readJobs } from '../parts/read-jobs.ts';

const callers = 4;
const filesEach = 16;
/** Edge of a square PNG without compression: 51.9 MB. The limit is 52.4 MB. */
const edge = 4_160;
const warmUpReads = 1_000;
/** Time in which reads are measured alone, before and after the edits, because other programs may disturb one of them. */
const aloneMs = 10_000;
/** Megabytes that a process may use for all edits together, whatever the size of their files. */
const maxAboveMb = 100;
const maxReadRatio = 2;
/** Time in which the worker must have sent all edits. */
const maxRunMs = 600_000;

/** Measures an API process that receives edits with large files, and a worker that sends them to the provider. */
export const inputs: Program = {
  name: 'inputs',
  title: `${callers} callers send an edit with ${filesEach} files of 50 MB each, all at once, to one API process`,
  run,
};

type Figure =
  | 'seconds'
  | 'apiAboveMb'
  | 'workerAboveMb'
  | 'loopP99Ms'
  | 'readP99Ms'
  | 'readAloneP99Ms'
  | 'readBesideSinkP99Ms'
  | 'readRatio'
  | 'readRatioToSink';

/** Processes of one deployment on one folder of files. */
interface Deployment {
  readonly api: Child;
  readonly senders: Child;
  readonly ends: EndWatch;
  startWorker(): Promise<Child>;
}

async function run(options: RunOptions): Promise<Outcome> {
  const { closers } = options;
  const redis = await startBenchRedis(closers, options.say);
  const deployment = await startDeployment(redis, closers);
  const fileMb = (await deployment.senders.query<number>('fileBytes')) / 1e6;
  const variants = ['Darkroom', 'Darkroom again'].map(
    (name): Variant<Figure> => ({ name, measure: () => measureEdits(deployment, options) }),
  );
  const results = await measureInRounds(variants, options);
  return outcomeOf(results, fileMb * callers * filesEach, describeMachine(redis.version, Date.now()));
}

async function startDeployment(redis: BenchRedis, closers: Closers): Promise<Deployment> {
  const dataDir = await createDataDir(closers);
  const provider = await startProvider(closers);
  const api = await startDarkroom(redis, { role: 'api', dataDir }, closers);
  const sink = closers.add(await startChild({ module: 'parts/sink-server.js', env: {} }), (each) =>
    each.stop(),
  );
  const env = {
    SERVICE_URL: api.url,
    SINK_URL: sink.url,
    AUTHORIZATION: authorization,
    EDGE: String(edge),
    FILES: String(filesEach),
  };
  const senders = await startChild({ module: 'parts/input-callers.js', env });
  closers.add(senders, (each) => each.stop());
  const worker = { role: 'worker', concurrency: callers, providerUrl: provider.url, dataDir } as const;
  return {
    api,
    senders,
    ends: watchEnds(
      redis.client,
      { sortedSet: createKeys(keyPrefix).open(tenant), present: false },
      maxRunMs,
    ),
    startWorker: () => startDarkroom(redis, worker, closers),
  };
}

async function measureEdits(
  deployment: Deployment,
  { say, pace }: RunOptions,
): Promise<Record<Figure, number>> {
  const { api, senders } = deployment;
  // The first reads compile code.
  await readJobs(api, (count) => count < warmUpReads);
  const alone = await readAlone(api, pace);
  await api.query('forgetPeak');
  const idleMb = (await api.usage()).rssBytes / 1e6;
  await api.query('watchLoop');
  const startMs = performance.now();
  const edits = senders.query<string[]>('sendEdits', callers);
  const readP99Ms = percentile(await readWhile(api, edits), 0.99);
  const seconds = (performance.now() - startMs) / 1000;
  const loopP99Ms = await api.query<number>('loopP99Ms');
  const apiAboveMb = (await api.usage()).peakRssBytes / 1e6 - idleMb;
  say(`received in ${seconds.toFixed(0)} s`);
  const ids = await edits;
  const workerAboveMb = await measureWorker(deployment, ids);
  for (const id of ids) await erase(api, id);
  alone.push(...(await readAlone(api, pace)));
  const readAloneP99Ms = percentile(alone, 0.99);
  const readBesideSinkP99Ms = percentile(await readWhile(api, senders.query('sendToSink', callers)), 0.99);
  return {
    ...{ seconds, apiAboveMb, workerAboveMb, loopP99Ms, readP99Ms, readAloneP99Ms, readBesideSinkP99Ms },
    readRatio: readP99Ms / readAloneP99Ms,
    readRatioToSink: readP99Ms / readBesideSinkP99Ms,
  };
}

/** Reads until some work is done. @returns the latencies. */
async function readWhile(api: Child, work: Promise<unknown>): Promise<number[]> {
  let isDone = false;
  const reads = readJobs(api, () => !isDone);
  await work.finally(() => (isDone = true));
  return reads;
}

/** Reads without other callers. @returns the latencies. */
function readAlone(api: Child, pace: number): Promise<number[]> {
  const untilMs = performance.now() + aloneMs * pace;
  return readJobs(api, () => performance.now() < untilMs);
}

/** Runs the edits in a fresh worker. @returns its peak above idle. */
async function measureWorker({ ends, startWorker }: Deployment, ids: readonly string[]): Promise<number> {
  const worker = await startWorker();
  try {
    await worker.query('forgetPeak');
    const idleMb = (await worker.usage()).rssBytes / 1e6;
    await Promise.all(ids.map((id) => ends.ended(id)));
    return (await worker.usage()).peakRssBytes / 1e6 - idleMb;
  } finally {
    await worker.stop();
  }
}

/** Erases a job, so that its files do not fill the disk. */
async function erase(api: Child, id: string): Promise<void> {
  const { statusCode, body } = await request(`${api.url}/images/${id}`, {
    method: 'DELETE',
    headers: { authorization },
  });
  await body.dump();
  if (statusCode !== 204) throw new Error(`a job was not erased: ${statusCode}`);
}

function outcomeOf(results: Results<Figure>, sentMb: number, machine: string): Outcome {
  const columns: readonly (readonly [title: string, name: Figure])[] = [
    ['s', 'seconds'],
    ['API above idle MB', 'apiAboveMb'],
    ['worker above idle MB', 'workerAboveMb'],
    ['loop p99 ms', 'loopP99Ms'],
    ['read p99 ms', 'readP99Ms'],
    ['read alone p99 ms', 'readAloneP99Ms'],
    ['read beside sink p99 ms', 'readBesideSinkP99Ms'],
  ];
  const rows = results.names.map((name) => [
    name,
    ...columns.map(([, column]) => figure(results.median(name, column))),
  ]);
  const of = (name: Figure) => results.median('Darkroom', name);
  const memory = { sense: 'at most', limit: maxAboveMb, unit: 'MB' } as const;
  return {
    tables: [
      `${machine}\n${figure(sentMb)} MB of files in each round`,
      table(['variant', ...columns.map(([title]) => title)], rows),
    ],
    controls: [
      { what: 'Darkroom twice, time', ratio: results.ratio('Darkroom again', 'Darkroom', 'seconds') },
    ],
    goals: [
      { what: 'peak of the API above idle', value: of('apiAboveMb'), ...memory },
      { what: 'peak of the worker above idle', value: of('workerAboveMb'), ...memory },
      {
        what: 'p99 of reads beside the edits, by that of reads alone',
        value: of('readRatio'),
        sense: 'at most',
        limit: maxReadRatio,
        unit: 'x',
      },
    ],
  };
}
