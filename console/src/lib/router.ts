import { useEffect, useState } from 'preact/hooks';
import { queryText } from '../api/query-text.ts';

/** Path of the console on the server. */
export const base = '/console';

/** Address of a screen: the path below `/console`, and the query. */
export interface Address {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Returns the address of a screen as a link. Values that are undefined or empty are left out. */
export function href(path: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  return `${base}${path}${queryText(query)}`;
}

const changed = 'darkroom:address';

function currentAddress(): Address {
  const path = location.pathname.slice(base.length).replace(/\/$/, '') || '/';
  return { path, query: new URLSearchParams(location.search) };
}

/** Shows another address of the console. The address keeps the whole state of a screen. */
export function navigate(to: string, { replace = false }: { replace?: boolean } = {}): void {
  // The same address again would be a further step back.
  if (replace || new URL(to, location.href).href === location.href) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  dispatchEvent(new Event(changed));
}

/** Returns the current address, and renders again after each change. */
export function useAddress(): Address {
  const [address, setAddress] = useState(currentAddress);
  useEffect(() => {
    const update = () => setAddress(currentAddress());
    addEventListener('popstate', update);
    addEventListener(changed, update);
    return () => {
      removeEventListener('popstate', update);
      removeEventListener(changed, update);
    };
  }, []);
  return address;
}

/** Changes values of the query, and leaves the others. An undefined or empty value removes its name. */
export function changeQuery(
  changes: Readonly<Record<string, string | undefined>>,
  options?: { replace?: boolean },
): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  navigate(`${location.pathname}${text ? `?${text}` : ''}`, options);
}

/**
 * Turns clicks on links of the console into navigation without a reload. A click that asks for a new tab opens one with a
 * copy of the storage of this tab, because a tab that the browser opens alone has no key.
 */
export function followLinks(event: MouseEvent): void {
  const isForTab = event.button === 1 || (event.button === 0 && (event.metaKey || event.ctrlKey));
  if (event.defaultPrevented || event.shiftKey || event.altKey || !(isForTab || event.button === 0)) return;
  const link = event.target instanceof Element ? linkAt(event.target) : null;
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (link.pathname !== base && !link.pathname.startsWith(`${base}/`)) return;
  if (link.hash && link.pathname === location.pathname) return;
  event.preventDefault();
  if (isForTab) open(link.href, '_blank');
  else if (link.href !== location.href) navigate(link.href);
}

/** Returns the link of a click: around its target, or the main link of the table row, except for a click that selects text. */
function linkAt(target: Element): HTMLAnchorElement | null {
  const inner = target.closest('a');
  if (inner || target.closest('button') || getSelection()?.isCollapsed === false) return inner;
  return target.closest('tr')?.querySelector<HTMLAnchorElement>('.row-link') ?? null;
}
