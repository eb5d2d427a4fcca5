/** One block of an event stream. A block without data only has an id or a comment. */
export interface ServerEvent {
  readonly id: string | undefined;
  readonly data: string | undefined;
}

/**
 * Reads the blocks of a stream of server-sent events until the stream ends. Each field of a block is one line. Closes the
 * stream if the reader stops earlier.
 *
 * @param onBytes called for every chunk, heartbeats included.
 */
export async function* readServerEvents(
  stream: ReadableStream<Uint8Array>,
  onBytes: () => void,
): AsyncGenerator<ServerEvent, void, undefined> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let buffered = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes();
      buffered += decoder.decode(value, { stream: true });
      const blocks = buffered.split('\n\n');
      buffered = blocks.pop() ?? '';
      for (const block of blocks) yield { id: fieldOf(block, 'id'), data: fieldOf(block, 'data') };
    }
  } finally {
    // A broken stream cannot be canceled.
    await reader.cancel().catch(() => undefined);
  }
}

function fieldOf(block: string, name: string): string | undefined {
  const start = `${name}: `;
  return block
    .split('\n')
    .find((line) => line.startsWith(start))
    ?.slice(start.length);
}
