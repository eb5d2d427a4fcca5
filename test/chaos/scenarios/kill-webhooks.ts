import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario.ts';
import { anyUp, interruptRedis, killAndRestart } from './hurt.ts';

const everyMs = 3_000;
const redisDownMs = 1_000;
/** Every n-th fault is a kill of Redis. */
const redisEvery = 4;
const quickCallsMs = [50, 400] as const;
/** A kill between the response of the endpoint and its entry repeats a delivery. */
const share = 0.01;

/** Kills the senders of terminal events. Every event must arrive under one id with the same bytes, and rarely twice. */
export const killWebhooks: Scenario = {
  name: 'webhooks',
  about: 'kills workers, the webhooks process and Redis during deliveries',
  async run(stage) {
    const { fleet, accepted } = stage;
    const jobs = stage.short ? 100 : 1_000;
    let isOver = false;
    const submitting = accepted
      .submit(jobs, { latencyMs: quickCallsMs, maxConcurrent: 4, pauseMs: 250 })
      .finally(() => {
        isOver = true;
      });
    let faults = 0;
    while (!isOver) {
      await sleep(everyMs);
      faults += 1;
      if (faults % redisEvery === 0) await interruptRedis(stage, redisDownMs);
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
      { figure: 'faults', found: faults },
      {
        figure: 'ids of terminal events that arrived',
        found: distinct,
        allowed: `${jobs}`,
        ok: distinct === jobs,
      },
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
