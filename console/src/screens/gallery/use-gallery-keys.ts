import { href, navigate } from '../../lib/router.ts';
import { useKeys } from '../../lib/shortcuts.ts';
import { type Line, neighborOf } from './layout.ts';

interface KeyActions {
  readonly selectedId: string | null;
  readonly lines: () => readonly Line[];
  readonly onSelect: (id: string | null) => void;
  readonly onMark: (id: string) => void;
  readonly onCompare: () => void;
  readonly onErase: () => void;
}

/** Single keys of the gallery. */
export function useGalleryKeys({
  selectedId,
  lines,
  onSelect,
  onMark,
  onCompare,
  onErase,
}: KeyActions): void {
  const arrow = (event: KeyboardEvent) => {
    const next = neighborOf(lines(), selectedId, event.key);
    if (next === null) return;
    event.preventDefault();
    onSelect(next);
    requestAnimationFrame(() => document.getElementById(`tile-${next}`)?.focus({ preventScroll: true }));
  };
  useKeys({
    ArrowLeft: arrow,
    ArrowRight: arrow,
    ArrowUp: arrow,
    ArrowDown: arrow,
    Enter: (event) => {
      if (selectedId === null || event.target !== document.body) return;
      navigate(href(`/jobs/${selectedId}`));
    },
    Escape: () => onSelect(null),
    x: () => selectedId !== null && onMark(selectedId),
    c: onCompare,
    Delete: onErase,
  });
}
