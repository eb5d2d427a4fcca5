import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** The connection of a response closed before everything was written. */
export class CallerGone extends Error {
  constructor() {
    super('the connection closed before the response was complete');
    this.name = 'CallerGone';
  }
}

/**
 * Writes pieces to a response and waits whenever its socket is full, so that no more than one piece waits in memory.
 *
 * @throws CallerGone if the connection closes; the pieces are ended then, which closes what they read from.
 */
export async function writePieces(response: ServerResponse, pieces: AsyncIterable<string>): Promise<void> {
  const gone = new AbortController();
  const onClose = () => gone.abort();
  response.once('close', onClose);
  try {
    for await (const piece of pieces) {
      if (response.destroyed) throw new CallerGone();
      if (piece === '' || response.write(piece)) continue;
      await once(response, 'drain', { signal: gone.signal }).catch(() => {
        throw new CallerGone();
      });
    }
  } finally {
    response.off('close', onClose);
  }
}
