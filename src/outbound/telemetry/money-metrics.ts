import { Counter, type Registry } from 'prom-client';
import type { MoneyMeter } from '../../domain/ports.ts';

/** Creates the metrics of budgets and holds. */
export function createMoneyMetrics(registers: Registry[]): MoneyMeter {
  const bills = new Counter({
    name: 'darkroom_bills_above_hold_total',
    help: 'Provider calls that cost more than their upper bound',
    registers,
  });
  const excess = new Counter({
    name: 'darkroom_bills_above_hold_micro_usd_total',
    help: 'Micro-USD of these calls above their upper bounds',
    registers,
  });
  const refusals = new Counter({
    name: 'darkroom_budget_refusals_total',
    help: 'Requests, and further calls of jobs, that did not fit a budget',
    labelNames: ['owner', 'window'],
    registers,
  });
  const repairs = new Counter({
    name: 'darkroom_hold_repairs_total',
    help: 'Counters of held money that differed from the records and were repaired',
    registers,
  });
  const repaired = new Counter({
    name: 'darkroom_hold_repairs_micro_usd_total',
    help: 'Micro-USD by which these counters differed',
    registers,
  });
  return {
    billAboveHold(excessMicroUsd) {
      bills.inc();
      excess.inc(excessMicroUsd);
    },
    budgetRefused: (budget) => refusals.inc({ ...budget }),
    holdRepaired(differenceMicroUsd) {
      repairs.inc();
      repaired.inc(Math.abs(differenceMicroUsd));
    },
  };
}
