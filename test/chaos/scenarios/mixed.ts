import { setTimeout as sleep } from 'node:timers/promises';
import { recoveryFindings, type Scenario, type Stage } from '../scenario.ts';
import { anyUp, killAndRestart, redisAway, storageAway } from './hurt.ts';

const everyMs = 2_500;

/** What may happen, with how often it does compared with the others. Each returns once it is over. */
const blows: readonly { name: string; weight: number; strike(stage: Stage): Promise<void> }[] = [
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

/** Everything that can happen, at random. Each kind of blow happens at least once. */
export const mixed: Scenario = {
  name: 'mixed',
  about: 'whatever can break does, at random',
  async run(stage) {
    const { random } = stage;
    const more = stage.short ? 3 : 25;
    const weighted = blows.flatMap((blow) => Array<typeof blow>(blow.weight).fill(blow));
    const plan = random.shuffle([...blows, ...Array.from({ length: more }, () => random.pick(weighted))]);
    const ordering = stage.promises.order(stage.short ? 60 : 400, { pauseMs: stage.short ? 1_500 : 900 });
    const underWay = new Map<string, Promise<void>>();
    for (const blow of plan) {
      await sleep(everyMs);
      stage.say(blow.name);
      // The same thing does not break twice at once; different things do.
      const before = underWay.get(blow.name) ?? Promise.resolve();
      underWay.set(
        blow.name,
        before.then(() => blow.strike(stage)),
      );
    }
    await Promise.all(underWay.values());
    await ordering;
    await stage.drained();
    return [{ figure: 'blows', found: plan.length }, ...(await recoveryFindings(stage, 40_000))];
  },
};
