import { Pool } from 'undici';
import { isoDay } from '../../src/domain/utc-day.ts';
import { type Child, startChild } from '../harness/child.ts';
import { describeMachine } from '../harness/machine.ts';
import type { Outcome, Program, RunOptions } from '../harness/program.ts';
import { startBenchRedis } from '../harness/redis.ts';
import { measureInRounds, type Results, type Variant } from '../harness/rounds.ts';
import { percentile } from '../harness/statistics.ts';
import { figure, table, times } from '../harness/table.ts';
import { keyPrefix, startDarkroom } from '../parts/darkroom.ts';
import { createManagedKey } from '../parts/managed-key.ts';
import { openRecords } from '../parts/records.ts';
import { countYear, type YearOfUsage } from '../parts/year-of-usage.ts';

const reportsPerMeasurement = 30;
const maxP50Ms = 50;
const groupingsWithGoal = [
  '',
  'day',
  'model',
  'key',
  'model,key',
  'day,model',
  'day,provider',
  'day,key',
] as const;
const groupings = [...groupingsWithGoal, 'day,model,key'] as const;
/** The report with the most rows of those that separate two dimensions. The others are compared with it. */
const largest = 'day,key';

type Figure = 'firstMs' | 'p50Ms' | 'p99Ms' | 'nodeMs' | 'megabytes';

/** Measures reports over a year while further jobs end. */
export const usage: Program = {
  name: 'usage',
  title: 'GET /usage over a year with 100 keys and 4 models, one report after the other',
  run,
};

async function run(options: RunOptions): Promise<Outcome> {
  const { closers } = options;
  const redis = await startBenchRedis(closers, options.say);
  options.say('counting a year of jobs');
  const year = await countYear(openRecords(redis, keyPrefix, closers));
  const service = await startDarkroom(redis, { role: 'api' }, closers);
  const hello = closers.add(await startChild({ module: 'parts/hello-server.js', env: {} }), (each) =>
    each.stop(),
  );
  const period = `from=${isoDay(year.fromDay)}&to=${isoDay(year.toDay)}`;
  const { authorization } = await createManagedKey(service, { scopes: ['admin'] });
  const reportOf = (grouping: string) =>
    openPath(service, { path: `/usage?${period}&group_by=${grouping}`, authorization }, closers);
  options.say('first reports');
  const first = new Map<string, Report>();
  for (const grouping of groupings) first.set(grouping, await reportOf(grouping)());
  const bytes = first.get(largest)?.bytes ?? 0;
  const variants: Variant<Figure>[] = [
    ...[...groupings, `${largest} again`].map((name) => {
      const grouping = name.replace(' again', '');
      const firstMs = first.get(grouping)?.ms ?? Number.NaN;
      return variantOf({ name, server: service, read: reportOf(grouping), firstMs, year, options });
    }),
    variantOf({
      name: `bytes of ${largest}`,
      server: hello,
      read: openPath(hello, { path: `/hello/${bytes}`, authorization }, closers),
      firstMs: Number.NaN,
      ...{ year, options },
    }),
  ];
  options.say('warming up');
  for (const variant of variants) await variant.measure();
  return outcomeOf(await measureInRounds(variants, options), describeMachine(redis.version, Date.now()));
}

interface Report {
  readonly ms: number;
  readonly bytes: number;
}

/** Creates a function that reads one path and returns the time until its last byte. */
function openPath(
  { url }: Child,
  { path, authorization }: { path: string; authorization: string },
  closers: RunOptions['closers'],
): () => Promise<Report> {
  const pool = closers.add(new Pool(url, { connections: 1 }), (each) => each.destroy());
  return async () => {
    const startMs = performance.now();
    const { statusCode, body } = await pool.request({ method: 'GET', path, headers: { authorization } });
    const bytes = (await body.arrayBuffer()).byteLength;
    if (statusCode !== 200) throw new Error(`GET ${path} got ${statusCode}`);
    return { ms: performance.now() - startMs, bytes };
  };
}

function variantOf({
  name,
  server,
  read,
  firstMs,
  year,
  options,
}: {
  name: string;
  server: Child;
  read: () => Promise<Report>;
  firstMs: number;
  year: YearOfUsage;
  options: RunOptions;
}): Variant<Figure> {
  return {
    name: name || 'one row',
    async measure() {
      const before = (await server.usage()).cpuMicros;
      const times: number[] = [];
      let bytes = 0;
      const count = Math.ceil(reportsPerMeasurement * options.pace);
      for (let done = 0; done < count; done += 1) {
        await year.countOne();
        const report = await read();
        times.push(report.ms);
        bytes = report.bytes;
      }
      const nodeMs = ((await server.usage()).cpuMicros - before) / 1000 / count;
      return {
        firstMs,
        p50Ms: percentile(times, 0.5),
        p99Ms: percentile(times, 0.99),
        nodeMs,
        megabytes: bytes / 1e6,
      };
    },
  };
}

function outcomeOf(results: Results<Figure>, machine: string): Outcome {
  const columns = ['megabytes', 'firstMs', 'p50Ms', 'p99Ms', 'nodeMs'] as const;
  const rows = results.names.map((name) => [
    name,
    ...columns.map((each) => figure(results.median(name, each))),
    times(results.ratio(name, `bytes of ${largest}`, 'p50Ms')),
  ]);
  return {
    tables: [
      machine,
      table(['group_by', 'MB', 'first ms', 'p50 ms', 'p99 ms', 'Node ms', 'p50 of bytes'], rows),
    ],
    controls: [{ what: `${largest} twice`, ratio: results.ratio(`${largest} again`, largest, 'p50Ms') }],
    goals: groupingsWithGoal.map((grouping) => ({
      what: `p50 by ${grouping || 'no dimension'}`,
      value: results.median(grouping || 'one row', 'p50Ms'),
      sense: 'at most',
      limit: maxP50Ms,
      unit: 'ms',
    })),
  };
}
