import { setTimeout as sleep } from 'node:timers/promises';
import { recoveryFindings, type Scenario, until } from '../scenario.ts';
import { killAndRestart, runnerOf } from './hurt.ts';

const callMs = 2_500;
const intoTheCallMs = 800;

/** A crash that ends so many runs counts for none of their jobs. */
const minRuns = 3;
const others = 60;

/** Kills the worker of one job repeatedly. Other jobs run on every worker, so the crashes do not count for the job. */
export const killSameJob: Scenario = {
  name: 'same-job',
  about: 'kills the worker of one job repeatedly',
  async run(stage) {
    const kills = stage.short ? 2 : 5;
    const [id = ''] = await stage.accepted.submit(others, { latencyMs: [callMs, callMs] });
    for (let kill = 0; kill < kills; kill++) {
      const runner = await runnerOf(stage, id, 60_000);
      await sleep(intoTheCallMs);
      await until(
        'the worker runs other jobs',
        callMs,
        () => stage.fleet.work.heldBy(runner.pid()).length >= minRuns,
      );
      await killAndRestart(stage, runner);
    }
    await stage.drained();
    const job = await stage.caller.job(id);
    const uncertain = job?.attempts.filter((attempt) => attempt.state === 'uncertain').length ?? 0;
    return [
      { figure: 'kills', found: kills },
      {
        figure: 'calls shown as uncertain',
        found: uncertain,
        allowed: `at most ${kills}`,
        ok: uncertain <= kills,
      },
      ...(await recoveryFindings(stage, 20_000)),
    ];
  },
};
