import { href } from '../../lib/router.ts';

/** Returns the address of the screen with changes of its query. Undefined removes a value. */
export function hrefWith(
  query: URLSearchParams,
  changes: Readonly<Record<string, string | undefined>>,
): string {
  return href('/webhooks', { ...Object.fromEntries(query), ...changes });
}
