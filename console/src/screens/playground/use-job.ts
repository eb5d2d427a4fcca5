import { useEffect, useRef, useState } from 'preact/hooks';
import type { Image, ImageJob } from '../../api/types.ts';
import { type Live, useLive } from '../../api/use-live.ts';
import { useRefresh } from '../../api/use-refresh.ts';
import { useEvents, useSession, useStreamState } from '../../lib/context.ts';
import { addEvent, isTerminal, newProgress, type Progress } from './progress.ts';

/** Pause between calls for a job that has not ended. The stream reports changes at once; the calls add cost and position. */
const pollMs = 2_000;
/** Minimum pause between an event and the call that it causes. */
const settleMs = 250;

/** A job of the result, with what the stream has reported of it. */
export interface LiveJob extends Live<ImageJob> {
  readonly progress: Progress;
}

/** Follows a job by the stream of the tab, and reads its record. */
export function useJob(jobId: string): LiveJob {
  const { api, refreshSelf } = useSession();
  const [progress, setProgress] = useState<Progress>(() => newProgress(jobId));
  const [hasEnded, setEnded] = useState(false);
  const live = useLive(
    (signal) => api.call<ImageJob>(`/images/${jobId}`, { signal }),
    [api, jobId],
    hasEnded ? {} : { everyMs: pollMs },
  );
  const links = useRef(new Map<string, Image>());
  const refreshIn = useRefresh(live.refresh);

  useEvents((event) => {
    setProgress((before) => addEvent(before, event));
    if (event.job) live.set(event.job);
    else refreshIn(settleMs);
  }, jobId);

  // Events that were lost while the stream was closed are replayed; the record is read again in any case.
  const { name } = useStreamState();
  const wasLost = useRef(false);
  useEffect(() => {
    if (name === 'lost') wasLost.current = true;
    if (name === 'open' && wasLost.current) {
      wasLost.current = false;
      live.refresh();
    }
  }, [name]);

  const isDone = live.data !== undefined && isTerminal(live.data);
  useEffect(() => {
    if (!isDone) return;
    setEnded(true);
    refreshSelf();
  }, [isDone]);
  return { ...live, data: live.data && withStableLinks(live.data, progress, links.current), progress };
}

/** Minimum time that a link must remain valid to be used again. */
const minValidMs = 60_000;

/** Returns the job with the links that are shown. Each response has new links, which would load the images again. */
function withStableLinks(job: ImageJob, { images }: Progress, links: Map<string, Image>): ImageJob {
  const stable = job.images.map((image) => {
    const key = `${image.index}/${image.sha256}`;
    const shown = links.get(key) ?? images[image.index];
    const isUsable =
      shown?.sha256 === image.sha256 && Date.parse(shown.url_expires_at) > Date.now() + minValidMs;
    const next = isUsable
      ? { ...image, url: shown.url, thumbnail_url: shown.thumbnail_url ?? image.thumbnail_url }
      : image;
    links.set(key, isUsable ? { ...next, url_expires_at: shown.url_expires_at } : image);
    return next;
  });
  return { ...job, images: stable };
}
