import { setTimeout as sleep } from 'node:timers/promises';
import { recoveryFindings, type Scenario, type Stage } from '../scenario.ts';
import { anyUp, killAndRestart, redisAway, storageAway } from './hurt.ts';

const everyMs = 2_500;

interface Blow {
  readonly name: string;
  /** How often it happens compared with the others. */
  readonly weight: number;
  /** Returns once it is over. */
  readonly strike: (stage: Stage) => Promise<void>;
}

/** What may happen. */
const blows: readonly Blow[] = [
  {
    name: 'a worker killed',
    weight: 5,
    strike: async (stage) => killAndRestart(stage, await anyUp(stage, stage.fleet.workers)),
  },
  {
    name: 'an API process killed',
    weight: 2,
    strike: async (stage) => killAndRestart(stage, await anyUp(stage, stage.fleet.apis)),
  },
  {
    name: 'the webhooks process killed',
    weight: 1,
    strike: async (stage) => killAndRestart(stage, await anyUp(stage, [stage.fleet.webhooks])),
  },
  {
    name: 'a process told to stop',
    weight: 2,
    async strike(stage) {
      const member = await anyUp(stage, stage.fleet.members);
      await member.end('SIGTERM');
      await member.start();
    },
  },
  {
    name: 'a worker paused',
    weight: 2,
    async strike(stage) {
      const worker = await anyUp(stage, stage.fleet.workers);
      worker.pause();
      await sleep(stage.random.whole(1_000, 20_000));
      worker.resume();
    },
  },
  { name: 'Redis killed', weight: 1, strike: (stage) => redisAway(stage, stage.random.whole(200, 5_000)) },
  {
    name: 'storage away',
    weight: 2,
    strike: (stage) => storageAway(stage, stage.random.whole(1_000, 10_000)),
  },
];

const drainMs = 120_000;

/** Everything that can happen, at random: every kind of blow at least once, and in the long form until the time is over. */
export const mixed: Scenario = {
  name: 'mixed',
  about: 'whatever can break does, at random, for as long as there is time',
  async run(stage) {
    const { random, promises } = stage;
    const weighted = blows.flatMap((blow) => Array<Blow>(blow.weight).fill(blow));
    const plan = random.shuffle([...blows, ...Array.from({ length: 3 }, () => random.pick(weighted))]);
    const inFlight = new Map<string, Promise<void>>();
    let struck = 0;
    let isOver = false;
    const submitting = (async () => {
      while (!isOver) await promises.generate(10, { pauseMs: 1_000 });
    })();
    const hasTime = () => !stage.short && Date.now() < stage.deadlineMs - drainMs;
    for (let blow = plan.pop(); blow; blow = plan.pop() ?? (hasTime() ? random.pick(weighted) : undefined)) {
      await sleep(everyMs);
      stage.say(blow.name);
      const { name, strike } = blow;
      // The same thing does not break twice at once; different things do.
      const before = inFlight.get(name) ?? Promise.resolve();
      inFlight.set(
        name,
        before.then(() => strike(stage)),
      );
      struck += 1;
    }
    await Promise.all(inFlight.values());
    isOver = true;
    await submitting;
    await stage.drained();
    return [{ figure: 'blows', found: struck }, ...(await recoveryFindings(stage, 40_000))];
  },
};
