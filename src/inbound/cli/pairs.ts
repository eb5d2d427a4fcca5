import { InvalidArgumentError } from 'commander';

/** Parses an option `key=value` that can be repeated, and adds it to the earlier pairs. */
export function addPair(text: string, pairs: Record<string, string>): Record<string, string> {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError('It must be key=value.');
  return { ...pairs, [key]: value };
}
