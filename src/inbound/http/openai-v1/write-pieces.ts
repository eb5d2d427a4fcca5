import type { ServerResponse } from 'node:http';
import type { Turn } from '../../../lib/turns.ts';

/** Text of ASCII characters only. A socket copies it without the cost of UTF-8. */
export interface AsciiPiece {
  readonly ascii: string;
}

/** A part of a body. */
export type Piece = string | AsciiPiece;

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
    let resume = () => {};
    const onChange = () => resume();
    response.on('drain', onChange).on('close', onChange);
    try {
      for await (const piece of pieces) {
        if (textOf(piece) === '') continue;
        await turn();
        if (response.destroyed) throw new CallerGone();
        if (write(response, piece)) continue;
        await new Promise<void>((resolve) => {
          resume = resolve;
        });
        if (response.destroyed) throw new CallerGone();
      }
    } finally {
      response.off('drain', onChange).off('close', onChange);
    }
  };
}

const textOf = (piece: Piece) => (typeof piece === 'string' ? piece : piece.ascii);

const write = (response: ServerResponse, piece: Piece): boolean =>
  typeof piece === 'string' ? response.write(piece) : response.write(piece.ascii, 'latin1');
