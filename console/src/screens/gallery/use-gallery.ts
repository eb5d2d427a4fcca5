import { useEffect, useRef, useState } from 'preact/hooks';
import type { ImageJob } from '../../api/types.ts';
import { useSession } from '../../lib/context.ts';
import { changeQuery } from '../../lib/router.ts';
import { useText } from '../../lib/settings.ts';
import { gallery } from '../../strings/gallery.ts';
import { rememberOrder } from '../job/neighbors.ts';
import { filtersOf } from './filters.ts';
import { focusAfter } from './job-list.ts';
import type { Line } from './layout.ts';
import { canCompare } from './selection-bar.tsx';
import { useGalleryKeys } from './use-gallery-keys.ts';
import { useJobs } from './use-jobs.ts';

/** The state of the gallery and its actions. */
export function useGallery(query: URLSearchParams) {
  const t = useText(gallery);
  const { toast } = useSession();
  const filters = filtersOf(query);
  const jobs = useJobs(filters);
  const all = jobs.list.jobs;
  const selectedId = query.get('job');
  const selected = useSelected(selectedId, all);
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());
  const [dialog, setDialog] = useState<'compare' | 'erase' | null>(null);
  const lines = useRef<readonly Line[]>([]);
  const chosen = all.filter(({ id }) => marked.has(id));
  useEffect(() => rememberOrder(all.map(({ id }) => id)), [all]);

  const select = (id: string | null) =>
    changeQuery({ job: id ?? undefined }, { replace: selectedId !== null });
  const mark = (id: string) => setMarked((before) => toggled(before, id));
  const erasing = chosen.length > 0 ? chosen : selected ? [selected] : [];
  useGalleryKeys({
    selectedId,
    lines: () => lines.current,
    onSelect: select,
    onMark: mark,
    onCompare: () => canCompare(chosen) && setDialog('compare'),
    onErase: () => erasing.length > 0 && setDialog('erase'),
  });

  const onErased = (ids: ReadonlySet<string>) => {
    jobs.remove(ids);
    setMarked(new Set([...marked].filter((id) => !ids.has(id))));
    if (selectedId !== null && ids.has(selectedId)) select(null);
    toast(t('erased', { count: ids.size }));
    focusTile(focusAfter(all, ids));
  };
  const clear = () => setMarked(new Set());
  return {
    filters,
    jobs,
    selectedId,
    selected,
    marked,
    chosen,
    erasing,
    dialog,
    setDialog,
    lines,
    select,
    mark,
    clear,
    onErased,
  };
}

/** Moves the focus to the tile of a job once it is on the page. */
function focusTile(id: string | null): void {
  requestAnimationFrame(() => id && document.getElementById(`tile-${id}`)?.focus());
}

function toggled(set: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(id)) next.add(id);
  return next;
}

/** Returns the selected job: from the list, or read by its id if the list does not have it. */
function useSelected(id: string | null, jobs: readonly ImageJob[]): ImageJob | null {
  const { api } = useSession();
  const [other, setOther] = useState<ImageJob | null>(null);
  const known = jobs.find((job) => job.id === id) ?? null;
  const isMissing = id !== null && known === null;
  useEffect(() => {
    if (!isMissing) return;
    const controller = new AbortController();
    api.call<ImageJob>(`/images/${id}`, { signal: controller.signal }).then(setOther, () => undefined);
    return () => controller.abort();
  }, [id, isMissing]);
  return known ?? (other?.id === id ? other : null);
}
