import { setTimeout as sleep } from 'node:timers/promises';
import { recoveryFindings, type Scenario } from '../scenario.ts';
import { anyUp, killAndRestart } from './hurt.ts';

const everyMs = 3_000;
const recoversWithinMs = 20_000;

/**
 * Kills a random worker every three seconds under a backlog. The last running worker is never killed, because the time to
 * the next run is only meaningful if a worker is available.
 */
export const killWorkers: Scenario = {
  name: 'workers',
  about: 'kills a random worker every 3 s',
  async run(stage) {
    const kills = stage.short ? 5 : 30;
    const submitting = stage.accepted.submit(stage.short ? 60 : 1000);
    for (let kill = 0; kill < kills; kill++) {
      await sleep(everyMs);
      await killAndRestart(stage, await anyUp(stage, stage.fleet.workers, 2));
    }
    await submitting;
    await stage.drained();
    return [{ figure: 'kills', found: kills }, ...(await recoveryFindings(stage, recoversWithinMs))];
  },
};
