import { randomUUID } from 'node:crypto';
import type { GenerationRequest } from './generation-request.ts';

/** What became of the work in the background. */
export type Outcome =
  | { readonly kind: 'image'; readonly bytes: Buffer; readonly cut: boolean }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'failed'; readonly error: Readonly<Record<string, unknown>> };

/** A response that works, or worked, in the background. */
export type KeptResponse = {
  readonly id: string;
  readonly createdAtMs: number;
  /** The prompt as it was written; faults of later questions are read from it. */
  readonly prompt: string;
  readonly hostModelName: string;
  readonly image: GenerationRequest;
  /** When the outcome shows, once there is one; infinite for work that never ends. */
  readonly readyAtMs: number;
  outcome: Outcome | null;
  isCanceled: boolean;
  /** Over how long an answer that holds the image is spread. */
  readonly slowBodyMs: number;
  /** How many answers that hold the image still break off. */
  breaksLeft: number;
};

export type ResponseShelf = {
  put(start: Omit<KeptResponse, 'id' | 'createdAtMs' | 'outcome' | 'isCanceled'>): KeptResponse;
  /** Undefined for ids that were never given or are forgotten. */
  find(id: string): KeptResponse | undefined;
};

const KEPT_MS = 10 * 60_000;
const KEPT_RESPONSES = 512;

/** Keeps responses for ten minutes, as OpenAI does, and at most 512 of them. */
export function createResponseShelf(clock: () => number): ResponseShelf {
  const kept = new Map<string, KeptResponse>();
  const purge = () => {
    for (const [id, { createdAtMs }] of kept) {
      const isOld = createdAtMs + KEPT_MS <= clock();
      // In the order of creation: what follows is younger.
      if (!isOld && kept.size <= KEPT_RESPONSES) return;
      kept.delete(id);
    }
  };
  return {
    put(start) {
      const id = `resp_${randomUUID().replaceAll('-', '')}`;
      const response: KeptResponse = {
        id,
        createdAtMs: clock(),
        ...start,
        outcome: null,
        isCanceled: false,
      };
      kept.set(id, response);
      purge();
      return response;
    },
    find(id) {
      purge();
      return kept.get(id);
    },
  };
}

/** The status a response has at a moment. */
export function statusAt(
  response: KeptResponse,
  nowMs: number,
): 'in_progress' | 'completed' | 'failed' | 'cancelled' {
  if (response.isCanceled) return 'cancelled';
  if (response.outcome === null || nowMs < response.readyAtMs) return 'in_progress';
  return response.outcome.kind === 'failed' ? 'failed' : 'completed';
}
