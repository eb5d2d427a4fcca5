import { Redis } from 'ioredis';
import type { Closers } from '../../src/lib/closers.ts';
import { createJobQueue } from '../../src/outbound/queue/job-queue.ts';
import { queueNames } from '../../src/outbound/queue/queue-names.ts';
import { startChild } from '../harness/child.ts';
import { type HttpFigure, type HttpTarget, type LoadLength, loadHttp, warmUp } from '../harness/http-load.ts';
import { describeMachine } from '../harness/machine.ts';
import type { Outcome, Program, RunOptions } from '../harness/program.ts';
import { type BenchRedis, startBenchRedis } from '../harness/redis.ts';
import { measureInRounds, type Results } from '../harness/rounds.ts';
import { figure, table, times } from '../harness/table.ts';
import { authorization, keyPrefix, startDarkroom, tenant } from '../parts/darkroom.ts';
import { finishedJob, openRecords, storeJob } from '../parts/records.ts';
import { startTutorialApi } from '../parts/tutorial.ts';

const secondsPerMeasurement = 3;
/** Number of queued jobs while a job is read. The tutorial gets slower with more of them, see `depth`. */
const waitingJobs = 100;
const readsOfDarkroom = ['waiting', 'finished'] as const;

/** Maximum Node CPU of a read, as a multiple of a bare `Job.fromId`, which is one Redis read behind Fastify. */
const maxNodeByFromId = { finished: 1.6, unchanged: 1.1 } as const;

/** Measures the cost of reading one job. */
export const read: Program = {
  name: 'read',
  title: 'GET one job on one API process, 64 connections',
  run,
};

async function run(options: RunOptions): Promise<Outcome> {
  const redis = await startBenchRedis(options.closers, options.say);
  const targets = await startTargets(redis, options);
  const variants = Object.entries(targets).map(([name, target]) => ({
    name,
    measure: (length: LoadLength = { seconds: secondsPerMeasurement * options.pace }) =>
      loadHttp(target, redis, length),
  }));
  options.say('warming up');
  for (const variant of variants) await variant.measure(warmUp(options.pace));
  return outcomeOf(await measureInRounds(variants, options), describeMachine(redis.version, Date.now()));
}

async function startTargets(redis: BenchRedis, { closers }: RunOptions): Promise<Record<string, HttpTarget>> {
  const start = async (module: string, env: Record<string, string>) =>
    closers.add(await startChild({ module, env }), (each) => each.stop());
  const hello = await start('parts/hello-server.js', {});
  const fromId = await start('parts/from-id-server.js', { REDIS_PATH: redis.path });
  const tutorial = await startTutorialApi(redis, closers);
  const darkroom = await startDarkroom(redis, { role: 'api' }, closers);
  const waiting = await submitSome(darkroom.url);
  await schedule(redis, waiting, closers);
  const waitingId = middle(waiting);
  const tutorialId = middle(await submitSome(tutorial.url));
  const finished = finishedJob(Date.now());
  await storeJob(openRecords(redis, keyPrefix, closers), finished);

  const get = (server: typeof darkroom, path: string, headers: Record<string, string> = {}) =>
    ({ server, path, method: 'GET', headers, status: 200 }) as const;
  const finishedPath = `/images/${finished.id}`;
  const seen = await fetch(darkroom.url + finishedPath, { headers: { authorization } });
  const unchanged = { authorization, 'if-none-match': seen.headers.get('etag') ?? '' };
  return {
    hello: get(hello, '/hello'),
    tutorial: get(tutorial, `/images/${tutorialId}`),
    'Job.fromId': get(fromId, `/jobs/${tutorialId}`),
    waiting: get(darkroom, `/images/${waitingId}`, { authorization }),
    'waiting again': get(darkroom, `/images/${waitingId}`, { authorization }),
    finished: get(darkroom, finishedPath, { authorization }),
    unchanged: { ...get(darkroom, finishedPath, unchanged), status: 304 },
  };
}

/** Submits jobs that no worker runs. @returns their ids. */
async function submitSome(url: string): Promise<string[]> {
  const found: string[] = [];
  for (let count = 0; count < waitingJobs; count += 1) {
    const response = await fetch(`${url}/images`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify({ prompt: 'A lighthouse in a storm, oil on canvas', size: '1024x1024' }),
    });
    found.push(((await response.json()) as { id: string }).id);
  }
  return found;
}

const middle = (ids: readonly string[]) => ids[Math.floor(ids.length / 2)] ?? '';

/** Lets jobs wait for their turn, as behind a busy worker. */
async function schedule(redis: BenchRedis, ids: readonly string[], closers: Closers): Promise<void> {
  const client = closers.add(new Redis(redis.path), (each) => each.disconnect());
  const queue = createJobQueue(client, queueNames(keyPrefix).jobs);
  await Promise.all(ids.map((id) => queue.add({ kind: 'run_job', tenant, id }, { priority: 'normal' })));
  const position = await queue.position(middle(ids));
  if (position === null) throw new Error('the jobs do not wait in the schedule');
}

function outcomeOf(results: Results<HttpFigure>, machine: string): Outcome {
  const rows = results.names.map((name) => [
    name,
    ...(['perSecond', 'p50Ms', 'p99Ms', 'nodeMicros', 'redisMicros'] as const).map((each) =>
      figure(results.median(name, each)),
    ),
    times(results.ratio(name, 'Job.fromId', 'nodeMicros')),
    ...(['tutorial', 'Job.fromId'] as const).map((base) =>
      name === 'hello' ? '-' : times(results.ratio(name, base, 'redisMicros')),
    ),
  ]);
  const head = [
    'variant',
    'req/s',
    'p50 ms',
    'p99 ms',
    'Node us',
    'Redis us',
    'Node of fromId',
    'Redis of tutorial',
    'Redis of fromId',
  ];
  return {
    tables: [machine, table(head, rows)],
    controls: [
      {
        what: 'Darkroom, a waiting job, twice',
        ratio: results.ratio('waiting again', 'waiting', 'perSecond'),
      },
    ],
    goals: [...nodeGoals(results), ...redisGoals(results)],
  };
}

const nodeGoals = (results: Results<HttpFigure>) =>
  Object.entries(maxNodeByFromId).map(([name, limit]) => ({
    what: `Node CPU by that of Job.fromId, ${name === 'unchanged' ? 'a 304' : `a ${name} job`}`,
    value: results.ratio(name, 'Job.fromId', 'nodeMicros'),
    sense: 'at most' as const,
    limit,
    unit: 'x',
  }));

const redisGoals = (results: Results<HttpFigure>) =>
  readsOfDarkroom.map((name) => ({
    what: `Redis CPU by the tutorial’s, a ${name} job`,
    value: results.ratio(name, 'tutorial', 'redisMicros'),
    sense: 'at most' as const,
    limit: 0.2,
    unit: 'x',
  }));
