import { beforeAll, describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../chaos/fleet/fleet.ts';
import { runScenario } from '../chaos/run-scenario.ts';
import { mixed } from '../chaos/scenarios/mixed.ts';

/** Runs the short form of one scenario. `npm run chaos` runs all scenarios. */

const startLimitMs = 120_000;
const limitMs = 240_000;

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
  return () => fleet.stop();
}, startLimitMs);

describe('a deployment with random faults', () => {
  it(
    'random faults lose no job, hide no second payment and send every terminal event under one id',
    async () => {
      const options = {
        seed: 'suite',
        short: true,
        deadlineMs: Date.now() + limitMs - 30_000,
        log: () => {},
      };
      const { faults, figures } = await runScenario(fleet, mixed, options);
      expect(faults).toEqual([]);
      expect(figures.jobs).toBeGreaterThanOrEqual(10);
      expect(figures.images).toBe(figures.jobs);
      expect(figures.charged).toBeGreaterThanOrEqual(figures.images);
    },
    limitMs,
  );
});
