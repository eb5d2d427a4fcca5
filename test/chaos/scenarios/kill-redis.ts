import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario.ts';
import { interruptRedis } from './hurt.ts';

const downMs = 5_000;
const betweenMs = 4_000;

/** Kills Redis under load, with its AOF synced once per second. No accepted job may be lost. */
export const killRedis: Scenario = {
  name: 'redis',
  about: 'kills Redis under load and restarts it after 5 s',
  async run(stage) {
    const kills = stage.short ? 1 : 3;
    const submitting = stage.accepted.submit(stage.short ? 60 : 300);
    for (let kill = 0; kill < kills; kill++) {
      await sleep(betweenMs);
      await interruptRedis(stage, downMs);
    }
    await submitting;
    await stage.drained();
    return [{ figure: 'kills of Redis', found: kills }];
  },
};
