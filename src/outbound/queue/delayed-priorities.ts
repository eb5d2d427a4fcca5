/**
 * Priorities in BullMQ of the tasks of jobs that continue after a delay. Scheduled tasks precede them, because it is the turn
 * of their tenants.
 */
export const delayedPriorities = { retry: 4, blocked: 5 } as const;

/** BullMQ's lowest score of such tasks: their priority times 2^32, and a counter below it. */
export const minDelayedScore = delayedPriorities.retry * 2 ** 32;
