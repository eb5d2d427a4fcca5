import { AppError } from '../../../domain/errors.ts';
import type { PartState } from '../../../domain/system-status.ts';
import { within } from '../../../lib/within.ts';

/** Timeout of a part. All parts are read at once, so that a hanging dependency delays the whole status by no more. */
export const partLimitMs = 600;

interface Part {
  readonly state: PartState;
  readonly detail: string | null;
}

/** State of a part that works. */
export const ok: Part = { state: 'ok', detail: null };

/** Returns a part that the store must serve. Without a reply its state is `unknown`, with the values of `otherwise`. */
export async function partOf<View extends Part>(
  read: () => Promise<View>,
  otherwise: Omit<View, keyof Part>,
): Promise<Part & Omit<View, keyof Part>> {
  try {
    return await within(partLimitMs, read());
  } catch (error) {
    const isOutage = error instanceof AppError && error.code === 'store_unavailable';
    const detail = isOutage ? 'Redis does not reply.' : `Not read: ${messageOf(error)}.`;
    return { state: 'unknown', detail, ...otherwise };
  }
}

/** Result of a check with a timeout. */
export interface CheckResult {
  /** Fault, or `null` if the check succeeded. */
  readonly fault: string | null;
  /** Duration in milliseconds. */
  readonly ms: number;
}

/** Runs a check. Never rejects. */
export async function checked(check: () => Promise<unknown>): Promise<CheckResult> {
  const startedAt = performance.now();
  const fault = await within(partLimitMs, check()).then(() => null, messageOf);
  return { fault, ms: Math.round((performance.now() - startedAt) * 10) / 10 };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
