import type { Dispatcher } from 'undici';
import type { FetchLink } from '../../domain/ports.ts';
import { getBytes } from '../../lib/get-bytes.ts';
import type { AddressGuard } from './destination-guard.ts';

interface LinkOptions {
  readonly guard: Pick<AddressGuard, 'checkUrl'>;
  /** Connects to allowed addresses only. */
  readonly dispatcher: Dispatcher;
  readonly userAgent: string;
}

/**
 * Creates a function that fetches a link of a foreign server. The guard checks the URL, and the connection goes to the
 * checked address only. Follows no redirect and sends no credentials.
 */
export function createFetchLink({ guard, dispatcher, userAgent }: LinkOptions): FetchLink {
  // Checked in the promise, so that a refusal rejects.
  return async (link, { signal, maxBytes }) =>
    getBytes(guard.checkUrl(link), { dispatcher, signal, maxBytes, headers: { 'user-agent': userAgent } });
}
