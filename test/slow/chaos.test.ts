import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Fleet, startFleet } from '../chaos/fleet/fleet.ts';
import { runScenario } from '../chaos/run-scenario.ts';
import { killUnderBacklog } from '../chaos/scenarios/kill-under-backlog.ts';
import { killUnderBudgets } from '../chaos/scenarios/kill-under-budgets.ts';
import { loseWrites } from '../chaos/scenarios/lose-writes.ts';
import { mixed } from '../chaos/scenarios/mixed.ts';

/** Runs the short forms of four scenarios. `npm run chaos` runs all scenarios. */

const startLimitMs = 120_000;
const limitMs = 240_000;

const optionsOfNow = () => ({
  seed: 'suite',
  short: true,
  deadlineMs: Date.now() + limitMs - 30_000,
  log: () => {},
});

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
  return () => fleet.stop();
}, startLimitMs);

describe('a deployment with random faults', () => {
  it(
    'random faults lose no job, hide no second payment and send every terminal event under one id',
    async () => {
      const { faults, figures } = await runScenario(fleet, mixed, optionsOfNow());
      expect(faults).toEqual([]);
      expect(figures.jobs).toBeGreaterThanOrEqual(10);
      expect(figures.images).toBe(figures.jobs);
      expect(figures.charged).toBeGreaterThanOrEqual(figures.images);
    },
    limitMs,
  );

  it(
    'the jobs of killed workers run again within 20 s although 1,000 jobs wait',
    async () => {
      const { faults, late, figures, findings } = await runScenario(fleet, killUnderBacklog, optionsOfNow());
      expect({ faults, late }).toEqual({ faults: [], late: [] });
      expect(figures.jobs).toBe(1_000);
      const found = (figure: string) => findings.find((finding) => finding.figure === figure)?.found;
      expect(found('unfinished jobs at the last kill')).toBeGreaterThan(500);
      expect(found('runs interrupted')).toBeGreaterThan(0);
    },
    limitMs,
  );

  it(
    'images whose records Redis loses are recorded again and not paid again',
    async () => {
      const { faults, figures } = await runScenario(fleet, loseWrites, optionsOfNow());
      expect(faults).toEqual([]);
      expect(figures.charged).toBe(figures.jobs);
    },
    limitMs,
  );
});

describe('a deployment with budgets', () => {
  it(
    'racing requests never exceed a budget although all processes are killed, and all views of the money agree',
    async () => {
      const { env, apiCount } = killUnderBudgets;
      const separate = await startFleet(env, apiCount);
      onTestFinished(() => separate.stop());
      const { faults } = await runScenario(separate, killUnderBudgets, optionsOfNow());
      expect(faults).toEqual([]);
    },
    limitMs,
  );
});
