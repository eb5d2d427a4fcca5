import type { BudgetCap, SpendFigures, SpendWindow } from '../budget.ts';
import type { WindowName } from '../budget-window.ts';

/** The counters of money, which the store changes in the same step as the records. */
export interface Spending {
  /** Returns the money of each window. @throws AppError `store_unavailable` */
  read(tenant: string, windows: readonly SpendWindow[]): Promise<SpendFigures[]>;
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

/** A threshold of a budget that no event reports yet. The store marks it in the step in which it was reached. */
export interface ThresholdMark {
  /** Key that owns the budget; absent for a budget of the tenant. */
  readonly keyId?: string | undefined;
  /** Window of the job that reached the threshold. It may be over, because a charge can be settled late. */
  readonly windowName: WindowName;
  /** Limit that was in force. Absent in the marks of an earlier release. */
  readonly limitMicroUsd?: number | undefined;
  /** Whether a cap is that of the mark, in the window of the mark. Its limit may differ. */
  readonly isOf: (cap: BudgetCap) => boolean;
  readonly percent: number;
  readonly atMs: number;
  /** Name of the mark in the store. */
  readonly name: string;
}

/** The thresholds of budgets. */
export interface BudgetThresholds {
  /** Returns marks of a tenant, oldest first and lower percentages before higher ones. @throws AppError `store_unavailable` */
  list(tenant: string, limit: number): Promise<ThresholdMark[]>;
  /**
   * Writes the event of a mark, unless an event reported this share of the limit in the window before, and removes the mark.
   * Atomic and idempotent.
   *
   * @param event `null` only removes the mark.
   * @returns whether the event was written: an endpoint wants it, and it is the first.
   */
  resolve(
    tenant: string,
    mark: ThresholdMark,
    event: { readonly id: string; readonly limitMicroUsd: number; readonly body: string } | null,
  ): Promise<boolean>;
}

/** Counters of held money and the jobs behind them, as of one moment. */
export interface HeldMoney {
  /** Ids of all jobs that may hold money. */
  readonly jobIds: readonly string[];
  readonly counters: readonly HeldCounter[];
}

/** A counter of held money. */
export interface HeldCounter {
  /** Absent for the whole tenant. */
  readonly keyId?: string | undefined;
  readonly windowName: WindowName;
  readonly microUsd: number;
}

/** Comparison of the counters of held money with the records. */
export interface HeldCounters {
  /** Returns whether a comparison of a tenant is due and belongs to this process. Another process has it for some minutes. */
  acquire(tenant: string): Promise<boolean>;
  /** Reads counters and ids in one step; `null` if there are so many that the step would block the store. */
  read(tenant: string): Promise<HeldMoney | null>;
  /** Removes the counters of windows that are long over and hold nothing, once a day. Returns the number of windows. */
  removeOld(tenant: string, nowMs: number): Promise<number>;
  /** Lowers a counter by a difference, unless its amount has changed since. Returns whether it did. */
  repair(tenant: string, counter: HeldCounter, differenceMicroUsd: number): Promise<boolean>;
}
