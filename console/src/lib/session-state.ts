import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Api } from '../api/client.ts';
import { useSession } from './context.ts';

interface Entry {
  value: unknown;
  readonly listeners: Set<() => void>;
}

/** Values by session and name. They end with the session, so that another key never sees them. */
const sessions = new WeakMap<Api, Map<string, Entry>>();

/**
 * State of a screen that lasts while the user visits other screens. Work that ends after the screen was left, such as an
 * upload, still changes it.
 */
export function useSessionState<T>(name: string, initial: T): [T, (change: (before: T) => T) => void] {
  const { api } = useSession();
  const entry = entryOf(api, name, initial);
  const [, render] = useState({});
  const latest = useRef(entry.value);
  latest.current = entry.value;
  useEffect(() => {
    const listener = () => render({});
    entry.listeners.add(listener);
    // The value may have changed since the rendering.
    if (latest.current !== entry.value) listener();
    return () => void entry.listeners.delete(listener);
  }, [entry]);
  const change = useCallback(
    (next: (before: T) => T) => {
      entry.value = next(entry.value as T);
      for (const listener of entry.listeners) listener();
    },
    [entry],
  );
  return [entry.value as T, change];
}

function entryOf(api: Api, name: string, initial: unknown): Entry {
  const entries = sessions.get(api) ?? new Map<string, Entry>();
  sessions.set(api, entries);
  const entry = entries.get(name) ?? { value: initial, listeners: new Set() };
  entries.set(name, entry);
  return entry;
}
