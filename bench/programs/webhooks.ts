import { type Child, startChild } from '../harness/child.ts';
import { describeMachine } from '../harness/machine.ts';
import type { Outcome, Program, RunOptions } from '../harness/program.ts';
import { startBenchRedis } from '../harness/redis.ts';
import { measureInRounds, type Results, type Variant } from '../harness/rounds.ts';
import { figure, table, times } from '../harness/table.ts';
import { startDarkroom } from '../parts/darkroom.ts';
import { openWebhookStore, type WebhookStore } from '../parts/webhook-store.ts';

const loops = ['fetch, one at a time', 'fetch, 8 at a time', 'sender, 8 at a time'] as const;
const baseline = loops[0];
const otherEndpoints = 10_000;
const deliveriesPerRound = 3_000;
/** Number of webhooks per loop. The loops are so fast that fewer would measure their warm-up. */
const sendsPerRound = 12_000;

/** Measures webhook throughput to a local sink, and whether registered endpoints add cost. */
export const webhooks: Program = {
  name: 'webhooks',
  title: 'webhooks of 2 kB to a sink on this machine, one process',
  run,
};

async function run(options: RunOptions): Promise<Outcome> {
  const { closers, pace } = options;
  const redis = await startBenchRedis(closers, options.say);
  const sink = closers.add(await startChild({ module: 'parts/sink-server.js', env: {} }), (each) =>
    each.stop(),
  );
  const looper = closers.add(
    await startChild({ module: 'parts/webhook-loops.js', env: { SINK_URL: sink.url } }),
    (each) => each.stop(),
  );
  const store = await openWebhookStore(redis, closers);
  await startDarkroom(redis, { role: 'webhooks' }, closers);
  const endpointId = await store.register(sink.url, ['image.queued']);
  const count = Math.max(100, Math.round(deliveriesPerRound * pace));
  const sends = Math.max(100, Math.round(sendsPerRound * pace));
  const setup = { store, sink, endpointId, count };
  const others = createOthers(store);
  const variants: Variant<'perSecond'>[] = [
    ...loops.map((name) => ({
      name,
      measure: async () => ({ perSecond: (sends / (await looper.query<number>(name, sends))) * 1000 }),
    })),
    { name: 'Darkroom, deliveries', measure: () => others.without(() => deliverPending(setup)) },
    { name: 'Darkroom, deliveries again', measure: () => others.without(() => deliverPending(setup)) },
    { name: 'Darkroom, events', measure: () => others.without(() => dispatchEvents(setup)) },
    {
      name: 'Darkroom, events, 10,000 other endpoints',
      measure: () => others.beside(() => dispatchEvents(setup)),
    },
  ];
  options.say('warming up');
  for (const variant of variants) await variant.measure();
  const results = await measureInRounds(variants, options);
  return outcomeOf(results, describeMachine(redis.version, Date.now()));
}

interface Setup {
  readonly store: WebhookStore;
  readonly sink: Child;
  readonly endpointId: string;
  readonly count: number;
}

/** Measures from the dispatch task of a full delivery queue until all deliveries have arrived. */
async function deliverPending({ store, sink, endpointId, count }: Setup): Promise<{ perSecond: number }> {
  await store.fillDeliveryQueue(endpointId, sink.url, count);
  return timed(sink, count, () => store.dispatchTask(endpointId));
}

/** Measures from events that are written with their jobs until each has arrived at the only subscribed endpoint. */
async function dispatchEvents({ store, sink, count }: Setup): Promise<{ perSecond: number }> {
  const eventIds = await store.writeEvents(count);
  return timed(sink, count, () => store.queueEvents(eventIds));
}

async function timed(sink: Child, count: number, start: () => Promise<void>): Promise<{ perSecond: number }> {
  const before = await sink.query<number>('count');
  const arrived = sink.query<number>('until', before + count);
  const startMs = performance.now();
  await start();
  await arrived;
  return { perSecond: (count / (performance.now() - startMs)) * 1000 };
}

/**
 * Manages endpoints that subscribe to other events. They are registered for some variants and removed for the others.
 */
function createOthers(store: WebhookStore) {
  let registered: string[] = [];
  return {
    async beside<T>(work: () => Promise<T>): Promise<T> {
      for (let left = otherEndpoints - registered.length; left > 0; left -= 500) {
        const batch = Array.from({ length: Math.min(left, 500) }, () =>
          store.register('https://receiver.example/hooks', ['image.expired']),
        );
        registered.push(...(await Promise.all(batch)));
      }
      return work();
    },
    async without<T>(work: () => Promise<T>): Promise<T> {
      await Promise.all(registered.map((id) => store.remove(id)));
      registered = [];
      return work();
    },
  };
}

function outcomeOf(results: Results<'perSecond'>, machine: string): Outcome {
  const ratio = (name: string, to: string) => results.ratio(name, to, 'perSecond');
  const rows = results.names.map((name) => [
    name,
    figure(results.median(name, 'perSecond')),
    times(ratio(name, baseline)),
    times(ratio(name, 'fetch, 8 at a time')),
  ]);
  return {
    tables: [machine, table(['variant', 'per second', 'of fetch', 'of fetch, 8 at a time'], rows)],
    controls: [
      {
        what: 'Darkroom, deliveries, twice',
        ratio: ratio('Darkroom, deliveries again', 'Darkroom, deliveries'),
      },
    ],
    goals: [
      {
        what: 'the sender by a plain fetch loop',
        value: ratio('sender, 8 at a time', baseline),
        sense: 'at least',
        limit: 3,
        unit: 'x',
      },
      {
        what: 'deliveries from a full delivery queue, log included, by a plain fetch loop',
        value: ratio('Darkroom, deliveries', baseline),
        sense: 'at least',
        limit: 1,
        unit: 'x',
      },
      {
        what: 'events beside 10,000 endpoints without a subscription, by events without them',
        value: ratio('Darkroom, events, 10,000 other endpoints', 'Darkroom, events'),
        sense: 'at least',
        limit: 0.8,
        unit: 'x',
      },
    ],
  };
}
