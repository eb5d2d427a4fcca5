/**
 * Folders and files that do not follow a rule yet. A path is removed from its list as soon as its files follow the rule.
 */
export const pending = {
  words: [] as readonly string[],
  sizes: ['test/contract/', 'test/integration/', 'test/unit/'] as readonly string[],
};

/** Returns whether a path is exempt from a rule for now. */
export function isPending(rule: keyof typeof pending, path: string): boolean {
  return pending[rule].some((prefix) => path.startsWith(prefix));
}
