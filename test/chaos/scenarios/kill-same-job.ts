import { setTimeout as sleep } from 'node:timers/promises';
import { recoveryFindings, type Scenario } from '../scenario.ts';
import { killAndRestart, runnerOf } from './hurt.ts';

const callMs = 2_500;
const intoTheCallMs = 800;

/** Whoever runs one job dies of it, again and again. */
export const killSameJob: Scenario = {
  name: 'same-job',
  about: 'the worker of one job is killed, again and again',
  async run(stage) {
    const kills = stage.short ? 2 : 5;
    const [id = ''] = await stage.promises.generate(1, { latencyMs: [callMs, callMs] });
    for (let kill = 0; kill < kills; kill++) {
      const runner = await runnerOf(stage, id, 60_000);
      await sleep(intoTheCallMs);
      await killAndRestart(stage, runner);
    }
    await stage.drained();
    const job = await stage.caller.job(id);
    const doubts = job?.attempts.filter((attempt) => attempt.state === 'uncertain').length ?? 0;
    return [
      { figure: 'kills', found: kills },
      { figure: 'calls shown as uncertain', found: doubts, allowed: `at most ${kills}`, ok: doubts <= kills },
      ...(await recoveryFindings(stage, 20_000)),
    ];
  },
};
