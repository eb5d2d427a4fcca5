/** Reads an amount in US dollars, with at most six decimals, as micro-USD; null if the text is not one. */
export function parseUsd(text: string): number | null {
  const [, whole, decimals = ''] = /^\s*\$?\s*(\d{1,9})(?:[.,](\d{1,6}))?\s*$/.exec(text) ?? [];
  if (whole === undefined) return null;
  return Number(whole) * 1_000_000 + Number(decimals.padEnd(6, '0'));
}
