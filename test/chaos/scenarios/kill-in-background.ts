import { setTimeout as sleep } from 'node:timers/promises';
import { recoveryFindings, type Scenario } from '../scenario.ts';
import { anyUp, killAndRestart } from './hurt.ts';

const everyMs = 3_000;
const longCallsMs = [3_000, 6_000] as const;
/** A kill in the milliseconds between a call and the entry of its handle still costs a call. */
const share = 0.1;

/** Kills workers during background calls, which continue at the provider and are resumed. */
export const killInBackground: Scenario = {
  name: 'background',
  about: 'kills workers while OPENAI_MODE is responses',
  env: { OPENAI_MODE: 'responses' },
  async run(stage) {
    const kills = stage.short ? 5 : 15;
    const submitting = stage.accepted.submit(stage.short ? 40 : 150, { latencyMs: longCallsMs });
    for (let kill = 0; kill < kills; kill++) {
      await sleep(everyMs);
      await killAndRestart(stage, await anyUp(stage, stage.fleet.workers, 2));
    }
    await submitting;
    await stage.drained();
    const ids = new Set(stage.accepted.byKey.values());
    const calls = stage.fleet.provider.charges().filter((charge) => ids.has(charge.jobId)).length;
    const recoveries = await recoveryFindings(stage, 20_000);
    const interrupted = Number(recoveries[0]?.found ?? 0);
    const extra = calls - ids.size;
    return [
      { figure: 'kills', found: kills },
      ...recoveries,
      {
        figure: 'calls paid again',
        found: extra,
        allowed: `${share * 100} % of the interrupted`,
        ok: extra <= Math.ceil(interrupted * share),
      },
    ];
  },
};
