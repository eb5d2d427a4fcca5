import { randomUUID } from 'node:crypto';
import type { GenerationRequest } from './generation-request.ts';

/** Result of the background work of a response. */
export type Outcome =
  | { readonly kind: 'image'; readonly bytes: Buffer; readonly cut: boolean }
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'failed';
      readonly error: Readonly<Record<string, unknown>>;
      /** Image of the previews that a stream sends before its error. */
      readonly drawn?: Buffer | undefined;
    };

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
  /** Whether a body with the image was sent completely. */
  wasSent: boolean;
  /** Duration over which a body with the image is spread, in milliseconds. */
  readonly slowBodyMs: number;
  /** Number of bodies with the image that still break off. */
  breaksLeft: number;
};

export type ResponseStore = {
  add(
    start: Omit<StoredResponse, 'id' | 'createdAtMs' | 'outcome' | 'isCanceled' | 'wasSent'>,
  ): StoredResponse;
  /** Ends the work of a response with its image. Removes other responses if all images need too much memory. */
  storeImage(response: StoredResponse, image: { readonly bytes: Buffer; readonly cut: boolean }): void;
  /** Returns undefined for unknown and expired ids. */
  find(id: string): StoredResponse | undefined;
};

const TTL_MS = 10 * 60_000;
const MAX_RESPONSES = 512;
/** Maximum size of all images together. A larger image is stored alone. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * Creates a store that holds responses for ten minutes, as OpenAI does, and at most 512 of them. If their images need more
 * than 256 MiB, it removes responses whose image was sent, then the oldest ones.
 */
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
  const sizeOf = ({ outcome }: StoredResponse) => {
    if (outcome?.kind === 'image') return outcome.bytes.length;
    return (outcome?.kind === 'failed' && outcome.drawn?.length) || 0;
  };
  /** @param newest the response that remains. */
  const makeRoom = (newest: StoredResponse) => {
    const others = [...stored.values()].filter((each) => each !== newest && sizeOf(each) > 0);
    const removable = [
      ...others.filter(({ wasSent }) => wasSent),
      ...others.filter(({ wasSent }) => !wasSent),
    ];
    let bytes = removable.reduce((sum, each) => sum + sizeOf(each), sizeOf(newest));
    for (const each of removable) {
      if (bytes <= MAX_BYTES) return;
      bytes -= sizeOf(each);
      stored.delete(each.id);
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
        wasSent: false,
      };
      stored.set(id, response);
      purge();
      // No further call may come, and the images need memory until then.
      setTimeout(purge, TTL_MS).unref();
      return response;
    },
    storeImage(response, image) {
      response.outcome = { kind: 'image', ...image };
      makeRoom(response);
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
