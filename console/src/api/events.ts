import type { Api } from './client.ts';
import { createSseParser } from './sse-parser.ts';
import type { ImageEvent } from './types.ts';

/** State of the stream. `lost` has the time of the next attempt. */
export type StreamState =
  | { readonly name: 'idle' | 'connecting' | 'open' }
  | { readonly name: 'lost'; readonly retryAt: number };

/** Events of all jobs of the tenant. The tab has one stream, which is open only while a part of the page needs it. */
export interface Events {
  /** Calls a listener for every event. Returns the function that ends the subscription. */
  subscribe(listener: (event: ImageEvent) => void): () => void;
  state(): StreamState;
  watch(listener: (state: StreamState) => void): () => void;
  /** Connects now instead of at the planned time. */
  retryNow(): void;
}

/** Time after which a hidden tab closes the stream. It continues at the last event when the tab is visible again. */
const hiddenMs = 60_000;
/** Time without a subscriber after which the stream closes, so that a change of the screen does not cut it. */
const lingerMs = 5_000;
const minRetryMs = 1_000;
const maxRetryMs = 30_000;
/** The service sends a heartbeat every 15 s. A stream that is silent for longer is dead. */
const silenceMs = 40_000;

/** Creates the stream of a session. */
export function createEvents(api: Api): Events {
  const listeners = new Set<(event: ImageEvent) => void>();
  const watchers = new Set<(state: StreamState) => void>();
  let state: StreamState = { name: 'idle' };
  let running: AbortController | null = null;
  let lastId: string | null = null;
  let failures = 0;
  let wakeUp: (() => void) | null = null;
  let closing: ReturnType<typeof setTimeout> | undefined;

  function become(next: StreamState): void {
    state = next;
    for (const watcher of watchers) watcher(next);
  }

  function dispatch(data: string): void {
    const event = JSON.parse(data) as ImageEvent;
    for (const listener of [...listeners]) listener(event);
  }

  async function connect(signal: AbortSignal): Promise<void> {
    const silent = new AbortController();
    const either = AbortSignal.any([signal, silent.signal]);
    let alarm: ReturnType<typeof setTimeout> | undefined;
    const heard = () => {
      clearTimeout(alarm);
      alarm = setTimeout(() => silent.abort(), silenceMs);
    };
    try {
      heard();
      const headers: Record<string, string> = lastId === null ? {} : { 'last-event-id': lastId };
      const { body } = await api.open('/events', { signal: either, headers });
      const parser = createSseParser(({ data }) => dispatch(data));
      const reader = (body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
      become({ name: 'open' });
      failures = 0;
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        heard();
        parser.push(piece.value);
        lastId = parser.lastId() ?? lastId;
      }
    } finally {
      clearTimeout(alarm);
    }
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      become({ name: 'connecting' });
      await connect(signal).catch(() => undefined);
      if (signal.aborted) break;
      const waitMs = Math.min(maxRetryMs, minRetryMs * 2 ** failures);
      failures += 1;
      become({ name: 'lost', retryAt: Date.now() + waitMs });
      await new Promise<void>((resolve) => {
        wakeUp = resolve;
        const timer = setTimeout(resolve, waitMs);
        const stop = () => {
          clearTimeout(timer);
          resolve();
        };
        signal.addEventListener('abort', stop, { once: true });
      });
    }
    become({ name: 'idle' });
  }

  function open(): void {
    clearTimeout(closing);
    closing = undefined;
    if (running || listeners.size === 0 || document.hidden) return;
    const controller = new AbortController();
    running = controller;
    void run(controller.signal);
  }

  function closeIn(ms: number): void {
    clearTimeout(closing);
    closing = setTimeout(() => {
      running?.abort();
      running = null;
    }, ms);
  }

  document.addEventListener('visibilitychange', () => (document.hidden ? closeIn(hiddenMs) : open()));

  return {
    subscribe(listener) {
      listeners.add(listener);
      open();
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) closeIn(lingerMs);
      };
    },
    state: () => state,
    watch(listener) {
      watchers.add(listener);
      return () => watchers.delete(listener);
    },
    retryNow: () => wakeUp?.(),
  };
}
