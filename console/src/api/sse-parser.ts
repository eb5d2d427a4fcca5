/** One server-sent event. */
export interface ServerSentEvent {
  /** Id for `Last-Event-ID`; null if the stream has sent none. */
  readonly id: string | null;
  readonly type: string;
  readonly data: string;
}

/** Reads server-sent events from pieces of text, which may end anywhere. An id without data is remembered. */
export function createSseParser(onEvent: (event: ServerSentEvent) => void): {
  push(text: string): void;
  lastId(): string | null;
} {
  let rest = '';
  let id: string | null = null;
  let type = '';
  let data: string[] = [];

  function line(text: string): void {
    if (text === '') {
      if (data.length > 0) onEvent({ id, type: type || 'message', data: data.join('\n') });
      type = '';
      data = [];
      return;
    }
    const colon = text.indexOf(':');
    if (colon === 0) return;
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? '' : text.slice(colon + 1).replace(/^ /, '');
    if (field === 'id') id = value;
    else if (field === 'event') type = value;
    else if (field === 'data') data.push(value);
  }

  return {
    push(text) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const each of lines) line(each.replace(/\r$/, ''));
    },
    lastId: () => id,
  };
}
