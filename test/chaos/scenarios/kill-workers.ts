import { setTimeout as sleep } from 'node:timers/promises';
import { recoveryFindings, type Scenario } from '../scenario.ts';
import { anyUp, killAndRestart } from './hurt.ts';

const everyMs = 3_000;
const againWithinMs = 20_000;

/**
 * A random worker dies every three seconds while a backlog is worked off. The last one is spared until another is up:
 * how soon a job runs again says something only where somebody is there to run it.
 */
export const killWorkers: Scenario = {
  name: 'workers',
  about: 'a random worker is killed every 3 s',
  async run(stage) {
    const kills = stage.short ? 5 : 30;
    const submitting = stage.promises.generate(stage.short ? 60 : 1000);
    for (let kill = 0; kill < kills; kill++) {
      await sleep(everyMs);
      await killAndRestart(stage, await anyUp(stage, stage.fleet.workers, 2));
    }
    await submitting;
    await stage.drained();
    return [{ figure: 'kills', found: kills }, ...(await recoveryFindings(stage, againWithinMs))];
  },
};
