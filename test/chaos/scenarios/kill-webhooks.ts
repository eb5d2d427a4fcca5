import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario.ts';
import { anyUp, killAndRestart, redisAway } from './hurt.ts';

const everyMs = 3_000;
const redisAwayMs = 1_000;
/** Every so many blows it is Redis that dies. */
const redisEvery = 4;
const quickCallsMs = [50, 400] as const;
/** A death between the receiver's answer and the note of it repeats a delivery. */
const share = 0.01;

/** Those who tell of ends die while ends are told: every end arrives, under one id, with the same bytes, hardly ever twice. */
export const killWebhooks: Scenario = {
  name: 'webhooks',
  about: 'workers, the webhooks process and Redis are killed while ends are told',
  async run(stage) {
    const { fleet, promises } = stage;
    const jobs = stage.short ? 100 : 1_000;
    let isOver = false;
    const submitting = promises
      .generate(jobs, { latencyMs: quickCallsMs, maxConcurrent: 4, pauseMs: 250 })
      .finally(() => {
        isOver = true;
      });
    let blows = 0;
    while (!isOver) {
      await sleep(everyMs);
      blows += 1;
      if (blows % redisEvery === 0) await redisAway(stage, redisAwayMs);
      else await killAndRestart(stage, await anyUp(stage, [stage.fleet.webhooks, ...fleet.workers], 2));
    }
    const ids = await submitting;
    await stage.drained();
    const counts = ids.map((id) => fleet.events.countsOf(id));
    const distinct = new Set(counts.flatMap((count) => [...count.keys()])).size;
    const arrivals = counts.flatMap((count) => [...count.values()]).reduce((sum, count) => sum + count, 0);
    const repeated = arrivals - distinct;
    const allowed = Math.ceil(jobs * share);
    return [
      { figure: 'blows', found: blows },
      { figure: 'ids of ends that arrived', found: distinct, allowed: `${jobs}`, ok: distinct === jobs },
      {
        figure: 'arrivals beyond the first',
        found: repeated,
        allowed: `${allowed}`,
        ok: repeated <= allowed,
      },
      {
        figure: 'of these with other bytes',
        found: fleet.events.unequal.size,
        allowed: '0',
        ok: fleet.events.unequal.size === 0,
      },
    ];
  },
};
