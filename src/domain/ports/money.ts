import type { SpendFigures, SpendRange } from '../budget.ts';

/** The counters of money, which the store changes in the same step as the records. */
export interface Spending {
  /** Returns the money of each range. @throws AppError `store_unavailable` */
  read(tenant: string, ranges: readonly SpendRange[]): Promise<SpendFigures[]>;
}

/** Counters of money. */
export interface MoneyMeter {
  /** Counts a bill above the hold of its call, and by how much. */
  billAboveHold(excessMicroUsd: number): void;
  /** Counts a request, or a further call of a job, that did not fit a budget. */
  budgetRefused(budget: { readonly owner: 'key' | 'tenant'; readonly window: string }): void;
  /** Counts a counter of held money that differed from the records and was repaired. */
  holdRepaired(differenceMicroUsd: number): void;
}
