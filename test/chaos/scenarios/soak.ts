import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { queryRedis } from '../../support/redis.ts';
import type { Finding, Scenario, Stage } from '../scenario.ts';

const sampleEveryMs = 5_000;
const quick = { latencyMs: [1, 50], maxConcurrent: 4 } as const;
/** Maximum growth over the measured time, as a share of the mean. */
const share = 0.1;

/** Measurements of one process or of Redis over time. */
interface Series {
  readonly name: string;
  readonly unit: string;
  readonly values: number[];
}

/** Runs half of the maximum load for a long time. Memory, handles and connections must not grow. */
export const soak: Scenario = {
  name: 'soak',
  about: 'runs half of the maximum load for ten minutes',
  long: true,
  async run(stage) {
    const perSecond = await highestRate(stage, stage.short ? 5_000 : 30_000);
    const lengthMs = stage.short ? 30_000 : 600_000;
    // The first fifth fills caches and optimizes code.
    const series = allSeries(stage);
    const startedMs = Date.now();
    const sampling = setInterval(() => {
      if (Date.now() - startedMs > lengthMs / 5) sample(stage, series).catch(() => undefined);
    }, sampleEveryMs);
    try {
      for (let second = 1; Date.now() - startedMs < lengthMs; second++) {
        await stage.accepted.submit(Math.max(1, Math.round(perSecond / 2)), quick);
        await sleep(Math.max(0, startedMs + second * 1000 - Date.now()));
      }
    } finally {
      clearInterval(sampling);
    }
    await stage.drained();
    return [
      { figure: 'highest rate', found: `${perSecond.toFixed(1)} jobs/s` },
      ...series.map((each) => trend(each)),
    ];
  },
};

/** Measures the jobs per second if submissions come as fast as they are accepted. */
async function highestRate(stage: Stage, lengthMs: number): Promise<number> {
  const startedMs = Date.now();
  let jobs = 0;
  while (Date.now() - startedMs < lengthMs) jobs += (await stage.accepted.submit(20, quick)).length;
  await stage.drained();
  return (jobs / (Date.now() - startedMs)) * 1000;
}

function allSeries({ fleet }: Stage): Series[] {
  return [
    ...fleet.members.flatMap(({ name }) => [
      { name: `${name} memory`, unit: 'MiB', values: [] },
      { name: `${name} handles`, unit: 'files', values: [] },
    ]),
    { name: 'Redis connections', unit: 'connections', values: [] },
  ];
}

async function sample({ fleet }: Stage, series: readonly Series[]): Promise<void> {
  const connections = await queryRedis(fleet.redis.url, (redis) => redis.info('clients'));
  const measured = [
    ...fleet.members.flatMap((member) => [residentMiB(member.pid()), openFiles(member.pid())]),
    Number(/^connected_clients:(\d+)/m.exec(connections)?.[1]),
  ];
  for (const [at, each] of series.entries()) each.values.push(measured[at] ?? Number.NaN);
}

const residentMiB = (pid: number) =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
const openFiles = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

/** Fits a line to a series and checks its growth over the whole time. */
function trend({ name, unit, values }: Series): Finding {
  const mean = average(values);
  const middle = (values.length - 1) / 2;
  const products = values.map((value, at) => (at - middle) * (value - mean));
  const squares = values.map((_, at) => (at - middle) ** 2);
  const perSample = average(products) / Math.max(average(squares), Number.EPSILON);
  const perMinute = perSample * (60_000 / sampleEveryMs);
  const growth = perSample * values.length;
  return {
    figure: name,
    found: `${mean.toFixed(0)} ${unit}, ${perMinute >= 0 ? '+' : ''}${perMinute.toFixed(2)} per minute`,
    allowed: `+${share * 100} % in all`,
    ok: growth <= mean * share,
  };
}

const average = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
