import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario.ts';
import { redisAway } from './hurt.ts';

const awayMs = 5_000;
const betweenMs = 4_000;

/** Redis dies under load, its AOF synced once a second: whatever was accepted is still there. */
export const killRedis: Scenario = {
  name: 'redis',
  about: 'Redis is killed under load and comes back after 5 s',
  async run(stage) {
    const kills = stage.short ? 1 : 3;
    const submitting = stage.promises.generate(stage.short ? 60 : 300);
    for (let kill = 0; kill < kills; kill++) {
      await sleep(betweenMs);
      await redisAway(stage, awayMs);
    }
    await submitting;
    await stage.drained();
    return [{ figure: 'kills of Redis', found: kills }];
  },
};
