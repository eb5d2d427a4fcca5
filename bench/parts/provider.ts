import type { Closers } from '../../src/lib/closers.ts';
import { type Child, startChild } from '../harness/child.ts';

/** Latency of the stub. */
export const providerLatencyMs = 200;

/** Starts the stub of the Images API. */
export async function startProvider(closers: Closers): Promise<Child> {
  const env = { LATENCY_MS: String(providerLatencyMs) };
  return closers.add(await startChild({ module: 'parts/provider-server.js', env }), (each) => each.stop());
}

/** Size of the image in every response, in bytes. */
export function imageSizeBytes(provider: Child): Promise<number> {
  return provider.query<number>('imageSizeBytes');
}

/** Holds all responses until this many requests wait, and then sends them together. 0 restores the latency. */
export function holdUntil(provider: Child, requests: number): Promise<null> {
  return provider.query('holdUntil', requests);
}
