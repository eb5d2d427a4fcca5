import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario.ts';
import { interruptStorage } from './hurt.ts';

const deliveredWithinMs = 60_000;

/** Interrupts the storage while responses arrive. The responses wait on disk, and none is paid again. */
export const storageOutage: Scenario = {
  name: 'storage',
  about: 'interrupts the storage under load',
  async run(stage) {
    const { fleet, accepted } = stage;
    const jobs = stage.short ? 40 : 200;
    const submitting = accepted.submit(jobs, { pauseMs: 200 });
    await sleep(2_000);
    await interruptStorage(stage, stage.short ? 10_000 : 60_000);
    const backAtMs = Date.now();
    await submitting;
    const ids = new Set(accepted.byKey.values());
    await stage.drained();
    const ends: number[] = [];
    for (const id of ids) ends.push(Date.parse((await stage.caller.job(id))?.finished_at ?? ''));
    const lastMs = Math.max(...ends) - backAtMs;
    const calls = fleet.provider.charges().filter((charge) => ids.has(charge.jobId)).length;
    return [
      { figure: 'calls', found: calls, allowed: `${jobs} for ${jobs} images`, ok: calls === jobs },
      {
        figure: 'last image delivered after the storage was back',
        found: `${(lastMs / 1000).toFixed(1)} s`,
        allowed: `${deliveredWithinMs / 1000} s`,
        ok: lastMs <= deliveredWithinMs,
        timed: true,
      },
    ];
  },
};
