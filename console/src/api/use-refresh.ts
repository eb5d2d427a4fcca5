import { useCallback, useEffect, useRef } from 'preact/hooks';

/** Returns a function that plans a refresh. Further calls before it do not add another one. */
export function useRefresh(refresh: () => unknown): (ms: number) => void {
  const latest = useRef(refresh);
  latest.current = refresh;
  const timers = useRef(new Map<number, ReturnType<typeof setTimeout>>());
  useEffect(
    () => () => {
      for (const timer of timers.current.values()) clearTimeout(timer);
    },
    [],
  );
  return useCallback((ms) => {
    if (timers.current.has(ms)) return;
    const timer = setTimeout(() => {
      timers.current.delete(ms);
      latest.current();
    }, ms);
    timers.current.set(ms, timer);
  }, []);
}
