import { Agent } from 'undici';
import type { FetchLink } from '../../domain/ports.ts';
import { getBytes } from '../../lib/get-bytes.ts';
import type { AddressGuard } from './destination-guard.ts';
import { createPinnedConnector } from './pinned-connector.ts';
import type { ResolveName } from './resolve-name.ts';

interface LinkOptions {
  readonly guard: AddressGuard;
  readonly userAgent: string;
  /** Replaces the resolver of the operating system. */
  readonly resolve?: ResolveName;
}

const connectTimeoutMs = 10_000;
const maxHeaderBytes = 16_384;

/**
 * Creates a function that fetches a link of a foreign server. The guard checks the URL, and the connection goes to the
 * checked address only. Follows no redirect, sends no credentials and uses no proxy.
 */
export function createLinkFetcher(options: LinkOptions): { fetchLink: FetchLink; close(): Promise<void> } {
  const { guard, userAgent, resolve } = options;
  const agent = new Agent({
    connect: createPinnedConnector({
      allowsAddress: guard.allowsAddress,
      timeoutMs: connectTimeoutMs,
      resolve,
    }),
    maxHeaderSize: maxHeaderBytes,
    pipelining: 0,
    // The deadline of the caller covers headers and body.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return {
    // Checked in the promise, so that a refusal rejects.
    fetchLink: async (link, { signal, maxBytes }) =>
      getBytes(guard.checkUrl(link), {
        dispatcher: agent,
        ...{ signal, maxBytes },
        headers: { 'user-agent': userAgent },
      }),
    close: () => agent.destroy(),
  };
}
