import { setTimeout as sleep } from 'node:timers/promises';
import { recoveryFindings, type Scenario, type Stage } from '../scenario.ts';
import { anyUp, interruptRedis, interruptStorage, killAndRestart } from './hurt.ts';

const everyMs = 2_500;

interface Fault {
  readonly name: string;
  /** Relative frequency. */
  readonly weight: number;
  /** Injects the fault. Resolves when it is over. */
  readonly inject: (stage: Stage) => Promise<void>;
}

/** All kinds of faults. */
const faults: readonly Fault[] = [
  {
    name: 'kill of a worker',
    weight: 5,
    inject: async (stage) => killAndRestart(stage, await anyUp(stage, stage.fleet.workers)),
  },
  {
    name: 'kill of an API process',
    weight: 2,
    inject: async (stage) => killAndRestart(stage, await anyUp(stage, stage.fleet.apis)),
  },
  {
    name: 'kill of the webhooks process',
    weight: 1,
    inject: async (stage) => killAndRestart(stage, await anyUp(stage, [stage.fleet.webhooks])),
  },
  {
    name: 'restart of a process',
    weight: 2,
    async inject(stage) {
      const member = await anyUp(stage, stage.fleet.members);
      await member.end('SIGTERM');
      await member.start();
    },
  },
  {
    name: 'pause of a worker',
    weight: 2,
    async inject(stage) {
      const worker = await anyUp(stage, stage.fleet.workers);
      worker.pause();
      await sleep(stage.random.whole(1_000, 20_000));
      worker.resume();
    },
  },
  {
    name: 'kill of Redis',
    weight: 1,
    inject: (stage) => interruptRedis(stage, stage.random.whole(200, 5_000)),
  },
  {
    name: 'storage outage',
    weight: 2,
    inject: (stage) => interruptStorage(stage, stage.random.whole(1_000, 10_000)),
  },
];

const drainMs = 120_000;

/** Injects random faults: every kind at least once, and in the long form until the time is over. */
export const mixed: Scenario = {
  name: 'mixed',
  about: 'injects random faults of every kind until the time is over',
  async run(stage) {
    const { random, accepted } = stage;
    const weighted = faults.flatMap((fault) => Array<Fault>(fault.weight).fill(fault));
    const plan = random.shuffle([...faults, ...Array.from({ length: 3 }, () => random.pick(weighted))]);
    const inFlight = new Map<string, Promise<void>>();
    let injected = 0;
    let isOver = false;
    const submitting = (async () => {
      while (!isOver) await accepted.submit(10, { pauseMs: 1_000, previewShare: 0.5, editShare: 0.3 });
    })();
    const hasTime = () => !stage.short && Date.now() < stage.deadlineMs - drainMs;
    for (
      let fault = plan.pop();
      fault;
      fault = plan.pop() ?? (hasTime() ? random.pick(weighted) : undefined)
    ) {
      await sleep(everyMs);
      stage.log(fault.name);
      const { name, inject } = fault;
      // Faults of one kind run in sequence, faults of different kinds concurrently.
      const before = inFlight.get(name) ?? Promise.resolve();
      inFlight.set(
        name,
        before.then(() => inject(stage)),
      );
      injected += 1;
    }
    await Promise.all(inFlight.values());
    isOver = true;
    await submitting;
    await stage.drained();
    return [{ figure: 'faults', found: injected }, ...(await recoveryFindings(stage, 40_000))];
  },
};
