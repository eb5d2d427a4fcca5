import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario.ts';

const downMs = 3_000;

/** Kills all processes, Redis and the storage at once and restarts them. Recovery needs no further action. */
export const killEverything: Scenario = {
  name: 'everything',
  about: 'kills everything at once and restarts it',
  async run(stage) {
    const { fleet } = stage;
    await stage.accepted.submit(stage.short ? 40 : 200);
    await Promise.all([
      ...fleet.members.map((member) => fleet.kill(member)),
      fleet.redis.kill9(),
      fleet.storage.set({ kind: 'refuse' }),
    ]);
    await sleep(downMs);
    // All at once, because a deployment does not wait for its dependencies.
    await Promise.all([
      ...fleet.members.map((member) => member.start()),
      fleet.redis.restart(),
      fleet.storage.set({ kind: 'pass' }),
    ]);
    await stage.drained();
    return [];
  },
};
