import { useEffect, useRef } from 'preact/hooks';
import { useSettings } from './settings.ts';

/** Actions by key, as `KeyboardEvent.key` names it. */
export type Keys = Readonly<Record<string, (event: KeyboardEvent) => void>>;

/**
 * Runs actions for single keys. They never act while a field has the focus, while a dialog is open, with a modifier, or if
 * the user has switched shortcuts off.
 */
export function useKeys(keys: Keys): void {
  const { shortcuts } = useSettings().settings;
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    if (!shortcuts) return;
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
      if (isField(event.target) || document.querySelector('dialog[open]')) return;
      latest.current[event.key]?.(event);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [shortcuts]);
}

function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.matches('textarea, select, input:not([type=checkbox], [type=radio], [type=range])'))
  );
}
