import type { ProcessState } from '../process-state.ts';
import type { StoreMemory } from './capacity.ts';

/** Ports to the figures and processes of a deployment. */

/** Figures of the whole deployment that only the store has. */
export interface StoreFigures {
  readonly queueTasks: readonly { readonly queue: string; readonly state: string; readonly count: number }[];
  /** Time since the creation of the oldest job in a state. 0 if no job is in the state. */
  readonly oldestJobs: readonly { readonly state: 'queued' | 'running'; readonly seconds: number }[];
  readonly pendingDeliveries: number;
  /** Time since the oldest change of the ledger that is not archived. 0 if everything is archived. */
  readonly unarchivedSeconds: number;
  /** Open circuit breakers of provider calls. */
  readonly blockedScopes: readonly {
    readonly provider: string;
    /** `account` or `model`. Names of models are left out, because callers may invent them. */
    readonly kind: string;
    readonly code: string;
    readonly count: number;
  }[];
  /** Whether Redis writes an append-only file, or `null` if it does not report it. */
  readonly isAofOn: boolean | null;
  /** Memory of Redis, or `null` if it does not report it. */
  readonly memory: StoreMemory | null;
}

/**
 * Reads the figures of the deployment, at a constant number of commands per tenant.
 *
 * @throws AppError `store_unavailable`
 */
export type ReadStoreFigures = () => Promise<StoreFigures>;

/** Reports of the processes of a deployment about themselves. */
export interface ProcessStates {
  /** Replaces the report of a process. @throws AppError `store_unavailable` */
  write(state: ProcessState): Promise<void>;
  /** Removes the report of a process that ends. */
  remove(process: string): Promise<void>;
  /**
   * Lists the reports of the last minute. Skips and reports those that it cannot read.
   *
   * @throws AppError `store_unavailable`
   */
  list(): Promise<ProcessState[]>;
}

/** Slots of a worker process. */
export interface WorkerSlots {
  readonly process: string;
  readonly slots: number;
  /** Time since the process registered its slots, in milliseconds. Workers do so every second. */
  readonly ageMs: number;
}

/** Facts about the server of the store. Each is `null` if the server does not report it. */
export interface StoreServer {
  readonly version: string | null;
  /** `master`, or `replica`. */
  readonly role: string | null;
}
