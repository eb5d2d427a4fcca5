import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario.ts';

const downMs = 3_000;

/** All processes, Redis and the storage die at once and are started again: nobody has to do anything more. */
export const killEverything: Scenario = {
  name: 'everything',
  about: 'everything is killed at once and started again',
  async run(stage) {
    const { fleet } = stage;
    await stage.promises.generate(stage.short ? 40 : 200);
    await Promise.all([
      ...fleet.members.map((member) => fleet.kill(member)),
      fleet.redis.kill9(),
      fleet.storage.set({ kind: 'refuse' }),
    ]);
    await sleep(downMs);
    // In no order: a deployment does not wait for its dependencies.
    await Promise.all([
      ...fleet.members.map((member) => member.start()),
      fleet.redis.restart(),
      fleet.storage.set({ kind: 'pass' }),
    ]);
    await stage.drained();
    return [];
  },
};
