import type { ProviderFailure } from '../../../../domain/ports.ts';
import { classifyStatedError } from './classify-failure.ts';

/**
 * Classifies a whole object by a known code or reason anywhere in it, because many gateways have no member `error`.
 *
 * @returns `null` if nothing in it is known.
 */
export const classifyWhole = (
  value: unknown,
  provider: NonNullable<ProviderFailure['provider']> = { status: 200 },
): ProviderFailure | null => classifyStatedError(withoutMetadata(value), provider);

/** Removes the metadata of a call. Its caller may have written them, and must not be able to block the account. */
export const withoutMetadata = (value: unknown): unknown =>
  typeof value === 'object' && !Array.isArray(value) ? { ...value, metadata: null } : value;

/** Classifies a body or a part of it: JSON, a code, or a sentence. Returns `null` if it is unknown. */
export function classifyText(
  text: string,
  provider?: NonNullable<ProviderFailure['provider']>,
): ProviderFailure | null {
  if (text.startsWith('<')) return null;
  try {
    return classifyWhole(JSON.parse(text), provider);
  } catch {
    return classifyWhole(text, provider);
  }
}
