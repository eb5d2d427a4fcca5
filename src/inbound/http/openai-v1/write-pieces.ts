import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Turn } from '../../../lib/turns.ts';

/** A part of a body: text, or bytes. */
export type Piece = string | Uint8Array;

/** Signals that the connection closed before the whole response was written. */
export class CallerGone extends Error {
  constructor() {
    super('the connection closed before the response was complete');
    this.name = 'CallerGone';
  }
}

/**
 * Writes pieces to a response. Waits while the socket is full, so that at most one piece is buffered in memory.
 *
 * @throws CallerGone if the connection closes. The iteration then ends, which closes the source of the pieces.
 */
export type WritePieces = (response: ServerResponse, pieces: AsyncIterable<Piece>) => Promise<void>;

/** @param turn shared by all responses, so that many fast readers do not delay the event loop. */
export function createWritePieces(turn: Turn): WritePieces {
  return async (response, pieces) => {
    const gone = new AbortController();
    const onClose = () => gone.abort();
    response.once('close', onClose);
    try {
      for await (const piece of pieces) {
        if (piece.length === 0) continue;
        await turn();
        if (response.destroyed) throw new CallerGone();
        if (response.write(piece)) continue;
        await once(response, 'drain', { signal: gone.signal }).catch(() => {
          throw new CallerGone();
        });
      }
    } finally {
      response.off('close', onClose);
    }
  };
}
