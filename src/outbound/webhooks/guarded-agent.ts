import { Agent } from 'undici';
import type { AddressGuard } from './destination-guard.ts';
import { createPinnedConnector } from './pinned-connector.ts';
import type { ResolveName } from './resolve-name.ts';

const connectTimeoutMs = 10_000;
const maxHeaderBytes = 16_384;

/**
 * Creates an agent for files of foreign servers. It connects to allowed addresses only, and uses no proxy. Every request
 * needs a deadline, because the agent itself limits only the time to connect.
 *
 * @param options.resolve replaces the resolver of the operating system.
 */
export function createGuardedAgent(options: {
  readonly guard: Pick<AddressGuard, 'allowsAddress'>;
  readonly resolve?: ResolveName | undefined;
}): Agent {
  const { guard, resolve } = options;
  return new Agent({
    connect: createPinnedConnector({
      allowsAddress: guard.allowsAddress,
      timeoutMs: connectTimeoutMs,
      resolve,
    }),
    maxHeaderSize: maxHeaderBytes,
    // Without pipelining no connection is reused, so that every request resolves and checks the name again.
    pipelining: 0,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}
