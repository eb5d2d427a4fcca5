import type { ServerResponse } from 'node:http';
import type { Piece, WritePieces } from './write-pieces.ts';

/** Writer of server-sent events to one response. */
export interface EventWriter {
  /** Writes one event in pieces. @throws CallerGone if the connection closes. */
  write(pieces: AsyncIterable<Piece>): Promise<void>;
  /** Writes a comment, which clients ignore, unless an event is being written. */
  comment(text: string): void;
}

/** Creates a writer. A comment within an event would damage it, and an event may take long for a slow reader. */
export function createEventWriter(response: ServerResponse, writePieces: WritePieces): EventWriter {
  let isWriting = false;
  return {
    async write(pieces) {
      isWriting = true;
      try {
        await writePieces(response, pieces);
      } finally {
        isWriting = false;
      }
    },
    comment(text) {
      if (!isWriting) response.write(`: ${text}\n\n`);
    },
  };
}
