import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, startChild } from '../harness/child.ts';
import { describeMachine } from '../harness/machine.ts';
import type { Outcome, Program, RunOptions } from '../harness/program.ts';
import { startBenchRedis } from '../harness/redis.ts';
import { measureInRounds, type Results, type Variant } from '../harness/rounds.ts';
import { figure, table } from '../harness/table.ts';
import { startDarkroom } from '../parts/darkroom.ts';
import { openWebhookStore, type WebhookStore } from '../parts/webhook-store.ts';

const healthyEndpoints = 49;
const eventsPerSecond = 8;
const secondsPerMeasurement = 6;

type Figure = 'p50' | 'p99';

/** Measures whether an endpoint that hangs delays the others. */
export const fairness: Program = {
  name: 'fairness',
  title: `${eventsPerSecond} events a second to 49 endpoints, alone and beside an endpoint that never responds, one process`,
  run,
};

async function run(options: RunOptions): Promise<Outcome> {
  const { closers, pace } = options;
  const redis = await startBenchRedis(closers, options.say);
  const sink = closers.add(await startChild({ module: 'parts/sink-server.js', env: {} }), (each) =>
    each.stop(),
  );
  const store = await openWebhookStore(redis, closers);
  await startDarkroom(redis, { role: 'webhooks' }, closers);
  for (let no = 0; no < healthyEndpoints; no += 1)
    await store.register(`${sink.url}/timed`, ['image.queued']);
  const count = Math.max(8, Math.round(eventsPerSecond * secondsPerMeasurement * pace));
  const alone = () => sendEvents(store, sink, count);
  const variants: Variant<Figure>[] = [
    { name: 'all respond', measure: alone },
    { name: 'all respond again', measure: alone },
    {
      name: 'beside a hanging endpoint',
      async measure() {
        // Each round uses a new hanging endpoint, because the circuit breaker skips an endpoint that is known to hang.
        const hanging = await store.register(`${sink.url}/hang`, ['image.queued']);
        const figures = await sendEvents(store, sink, count);
        await store.remove(hanging);
        return figures;
      },
    },
  ];
  options.say('warming up');
  for (const variant of variants) await variant.measure();
  const results = await measureInRounds(variants, options);
  return outcomeOf(results, describeMachine(redis.version, Date.now()));
}

/** Creates events in sequence and waits until all have arrived at the responsive endpoints. */
async function sendEvents(store: WebhookStore, sink: Child, count: number): Promise<Record<Figure, number>> {
  const before = await sink.query<number>('count');
  const arrived = sink.query<number>('until', before + count * healthyEndpoints);
  for (let no = 0; no < count; no += 1) {
    await store.queueEvents(await store.writeEvents(1));
    await sleep(1000 / eventsPerSecond);
  }
  await arrived;
  return sink.query<Record<Figure, number>>('ages');
}

function outcomeOf(results: Results<Figure>, machine: string): Outcome {
  const rows = results.names.map((name) => [
    name,
    figure(results.median(name, 'p50')),
    figure(results.median(name, 'p99')),
  ]);
  return {
    tables: [machine, table(['from the event to its arrival', 'p50 ms', 'p99 ms'], rows)],
    controls: [
      { what: 'all respond, twice', ratio: results.ratio('all respond again', 'all respond', 'p50') },
    ],
    goals: [
      {
        what: 'p99 beside a hanging endpoint',
        value: results.median('beside a hanging endpoint', 'p99'),
        sense: 'at most',
        limit: 2_000,
        unit: 'ms',
      },
    ],
  };
}
