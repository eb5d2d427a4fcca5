/** Memory of the store. */
export interface StoreMemory {
  readonly usedBytes: number;
  /** `null` if the store has no limit. */
  readonly limitBytes: number | null;
}

/**
 * Refuses new work if the store is nearly full. Costs nothing, because the memory is read in the background.
 *
 * @throws AppError `store_full`
 */
export type CheckRoom = () => void;
