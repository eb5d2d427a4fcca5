import { randomUUID } from 'node:crypto';
import type { GenerationRequest } from './generation-request.ts';

/** Result of the background work of a response. */
export type Outcome =
  | { readonly kind: 'image'; readonly bytes: Buffer; readonly cut: boolean }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'failed'; readonly error: Readonly<Record<string, unknown>> };

/** A response whose image is made in the background. */
export type StoredResponse = {
  readonly id: string;
  readonly createdAtMs: number;
  /** The prompt as written. Faults of later polls are read from it. */
  readonly prompt: string;
  readonly hostModelName: string;
  readonly image: GenerationRequest;
  /** Earliest time at which polls see the outcome. Infinite if the work never ends. */
  readonly readyAtMs: number;
  outcome: Outcome | null;
  isCanceled: boolean;
  /** Duration over which a body with the image is spread, in milliseconds. */
  readonly slowBodyMs: number;
  /** Number of bodies with the image that still break off. */
  breaksLeft: number;
};

export type ResponseStore = {
  add(start: Omit<StoredResponse, 'id' | 'createdAtMs' | 'outcome' | 'isCanceled'>): StoredResponse;
  /** Returns undefined for unknown and expired ids. */
  find(id: string): StoredResponse | undefined;
};

const TTL_MS = 10 * 60_000;
const MAX_RESPONSES = 512;

/** Creates a store that holds responses for ten minutes, as OpenAI does, and at most 512 of them. */
export function createResponseStore(clock: () => number): ResponseStore {
  const stored = new Map<string, StoredResponse>();
  const purge = () => {
    for (const [id, { createdAtMs }] of stored) {
      const isOld = createdAtMs + TTL_MS <= clock();
      // The map is in the order of creation, so every later response is younger.
      if (!isOld && stored.size <= MAX_RESPONSES) return;
      stored.delete(id);
    }
  };
  return {
    add(start) {
      const id = `resp_${randomUUID().replaceAll('-', '')}`;
      const response: StoredResponse = {
        id,
        createdAtMs: clock(),
        ...start,
        outcome: null,
        isCanceled: false,
      };
      stored.set(id, response);
      purge();
      return response;
    },
    find(id) {
      purge();
      return stored.get(id);
    },
  };
}

/** Returns the status that a response has at a time. */
export function statusAt(
  response: StoredResponse,
  nowMs: number,
): 'in_progress' | 'completed' | 'failed' | 'cancelled' {
  if (response.isCanceled) return 'cancelled';
  if (response.outcome === null || nowMs < response.readyAtMs) return 'in_progress';
  return response.outcome.kind === 'failed' ? 'failed' : 'completed';
}
