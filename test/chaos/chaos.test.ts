import { beforeAll, describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from './fleet/fleet.ts';
import { runScenario } from './run-scenario.ts';
import { mixed } from './scenarios/mixed.ts';

/** The short form of one scenario; `npm run chaos` has all of them. */

const startLimitMs = 120_000;
const limitMs = 240_000;

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
  return () => fleet.stop();
}, startLimitMs);

describe('a deployment in which everything breaks at random', () => {
  it(
    'loses no job, pays for no image twice without saying so, and tells every end under one id',
    async () => {
      const options = {
        seed: 'suite',
        short: true,
        deadlineMs: Date.now() + limitMs - 30_000,
        say: () => {},
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
