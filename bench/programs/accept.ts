import { startChild } from '../harness/child.ts';
import { type HttpFigure, type HttpTarget, type LoadLength, loadHttp, warmUp } from '../harness/http-load.ts';
import { describeMachine } from '../harness/machine.ts';
import type { Outcome, Program, RunOptions } from '../harness/program.ts';
import { startBenchRedis } from '../harness/redis.ts';
import { measureInRounds, type Results } from '../harness/rounds.ts';
import { figure, table, times } from '../harness/table.ts';
import { authorization, startDarkroom } from '../parts/darkroom.ts';
import { createManagedKey } from '../parts/managed-key.ts';
import { startTutorialApi } from '../parts/tutorial.ts';

const secondsPerMeasurement = 3;
const body = JSON.stringify({
  prompt: 'A lighthouse in a storm, oil on canvas',
  size: '1024x1024',
  quality: 'high',
});

const limited = 'Darkroom, budget and limits';
/** A budget and three limits, none of which the load reaches. */
const rules = {
  budgets: [{ window: 'month', limit_micro_usd: 1_000_000_000_000 }],
  limits: { requests_per_minute: 1_000_000, concurrent_jobs: 1_000, queued_jobs: 10_000_000 },
};

/** Measures how many jobs one API process accepts. */
export const accept: Program = {
  name: 'accept',
  title: 'POST /images on one API process, 64 connections',
  run,
};

async function run(options: RunOptions): Promise<Outcome> {
  const { closers, pace } = options;
  const redis = await startBenchRedis(closers, options.say);
  const targets = await startTargets(redis, options);
  const variants = Object.entries(targets).map(([name, target]) => ({
    name,
    async measure(length: LoadLength = { seconds: secondsPerMeasurement * pace }) {
      const figures = await loadHttp(await withKey(target), redis, length);
      await redis.clear();
      return figures;
    },
  }));
  options.say('warming up');
  for (const variant of variants) await variant.measure(warmUp(options.pace));
  return outcomeOf(await measureInRounds(variants, options), describeMachine(redis.version, Date.now()));
}

/** A request, and the rules of the managed key that sends it. */
type Target = HttpTarget & { readonly rules?: object };

/** Creates the key of a request. It is new for every measurement, because Redis is cleared in between. */
async function withKey(target: Target): Promise<HttpTarget> {
  if (!target.rules) return target;
  const { authorization: key } = await createManagedKey(target.server, target.rules);
  return { ...target, headers: { ...target.headers, authorization: key } };
}

async function startTargets(
  redis: Awaited<ReturnType<typeof startBenchRedis>>,
  { closers }: RunOptions,
): Promise<Record<string, Target>> {
  const post = { path: '/images', method: 'POST', body, status: 202 } as const;
  const json = { 'content-type': 'application/json' };
  const headers = { ...json, authorization };
  const ceiling = closers.add(
    await startChild({ module: 'parts/ceiling-server.js', env: { REDIS_PATH: redis.path } }),
    (each) => each.stop(),
  );
  const tutorial = await startTutorialApi(redis, closers);
  const darkroom = await startDarkroom(redis, { role: 'api' }, closers);
  const logging = await startDarkroom(redis, { role: 'api', logLevel: 'info' }, closers);
  return {
    tutorial: { ...post, server: tutorial, headers: json },
    ceiling: { ...post, server: ceiling, headers: json },
    Darkroom: { ...post, server: darkroom, headers },
    'Darkroom again': { ...post, server: darkroom, headers },
    'Darkroom, Idempotency-Key': {
      ...post,
      server: darkroom,
      headers: { ...headers, 'idempotency-key': '[<id>]' },
      freshIds: true,
    },
    'Darkroom, log at info': { ...post, server: logging, headers },
    [limited]: { ...post, server: darkroom, headers, rules },
  };
}

function outcomeOf(results: Results<HttpFigure>, machine: string): Outcome {
  const rows = results.names.map((name) => [
    name,
    ...(['perSecond', 'p50Ms', 'p99Ms', 'nodeMicros', 'redisMicros'] as const).map((each) =>
      figure(results.median(name, each)),
    ),
    times(results.ratio(name, 'tutorial', 'perSecond')),
    times(results.ratio(name, 'ceiling', 'perSecond')),
  ]);
  const head = ['variant', 'req/s', 'p50 ms', 'p99 ms', 'Node us', 'Redis us', 'of tutorial', 'of ceiling'];
  return {
    tables: [machine, table(head, rows)],
    controls: [{ what: 'Darkroom twice', ratio: results.ratio('Darkroom again', 'Darkroom', 'perSecond') }],
    goals: [
      {
        what: 'requests per second by the tutorial’s',
        value: results.ratio('Darkroom', 'tutorial', 'perSecond'),
        sense: 'at least',
        limit: 2,
        unit: 'x',
      },
      {
        what: 'requests per second by the ceiling’s',
        value: results.ratio('Darkroom', 'ceiling', 'perSecond'),
        sense: 'at least',
        limit: 0.55,
        unit: 'x',
      },
      {
        what: 'requests per second with a budget and three limits, by the tutorial’s',
        value: results.ratio(limited, 'tutorial', 'perSecond'),
        sense: 'at least',
        limit: 2,
        unit: 'x',
      },
      {
        what: 'CPU of Node and Redis per request with a budget and three limits, by that without',
        value: results.ratio(limited, 'Darkroom', 'cpuMicros'),
        sense: 'at most',
        limit: 1.25,
        unit: 'x',
      },
    ],
  };
}
