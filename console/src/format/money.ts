/**
 * Formats an amount in US dollars: two decimals from $1, four below, six below $0.0001. A value above zero is never rounded
 * to zero.
 */
export function formatUsd(microUsd: number, language: string): string {
  const digits = decimalsOf(Math.abs(microUsd));
  const numbers = new Intl.NumberFormat(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  const sign = microUsd < 0 ? '-' : '';
  return `${sign}$${numbers.format(Math.abs(microUsd) / 1_000_000)}`;
}

function decimalsOf(microUsd: number): number {
  if (microUsd === 0 || microUsd >= 1_000_000) return 2;
  return microUsd < 100 ? 6 : 4;
}

/** Returns the exact amount, for titles and for copying. */
export function exactAmount(microUsd: number, language: string): string {
  return `${new Intl.NumberFormat(language).format(microUsd)} micro-USD`;
}

/** A sum that leaves out unknown amounts, and says how many. */
export interface KnownSum {
  /** Null if no amount is known. */
  readonly microUsd: number | null;
  readonly unknown: number;
}

/** Adds the known amounts. An unknown amount is counted and never part of the sum. */
export function sumKnown(amounts: readonly (number | null)[]): KnownSum {
  const known = amounts.filter((amount) => amount !== null);
  const unknown = amounts.length - known.length;
  const isUnknown = unknown > 0 && known.length === 0;
  return { microUsd: isUnknown ? null : known.reduce((sum, amount) => sum + amount, 0), unknown };
}
