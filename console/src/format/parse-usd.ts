/**
 * Returns micro-USD of a typed amount such as `20`, `$0.50` or `1,000`; null if it is no amount. A comma only groups
 * thousands: a decimal comma, as in `0,50`, must not become a hundredfold amount.
 */
export function parseUsd(text: string): number | null {
  const amount = text.trim().replace(/^\$/, '');
  if (!/^([1-9]\d{0,2}(,\d{3}){1,2}|\d{1,9})(\.\d{1,6})?$/.test(amount)) return null;
  return Math.round(Number(amount.replaceAll(',', '')) * 1_000_000);
}
