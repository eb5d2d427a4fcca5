import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../../api/api-error.ts';
import { isAbort } from '../../api/client.ts';
import type { ImageEvent, ImageJob, Page } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { useRefresh } from '../../api/use-refresh.ts';
import { useEvents, useSession, useStreamState } from '../../lib/context.ts';
import { apiQuery, type Filters } from './filters.ts';
import {
  addPage,
  applyEvent,
  emptyList,
  type JobList,
  mergeNewest,
  removeJobs,
  replaceJob,
  showWaiting,
} from './job-list.ts';

const pageSize = 60;
/** Pause before the newest page is read again after an event of an unknown job. */
const refreshMs = 600;
/** Time that a worker usually needs for thumbnails after the end of a job. */
const thumbnailMs = 2_500;
/** Scroll offset up to which new jobs appear in the list at once. */
const topPx = 60;

interface State {
  readonly list: JobList;
  /** Whether the first page has arrived. */
  readonly isReady: boolean;
  readonly isLoading: boolean;
  readonly error: ApiError | null;
}

const initial: State = { list: emptyList, isReady: false, isLoading: true, error: null };

/** Loads the jobs of the gallery page by page, and follows the events of the tenant. */
export function useJobs(filters: Filters) {
  const { api } = useSession();
  const [state, setState] = useState<State>(initial);
  const run = useRef<{ query: Record<string, string>; controller: AbortController } | null>(null);
  const name = JSON.stringify(filters);

  const read = useCallback(
    (query: Record<string, string>, signal: AbortSignal) =>
      api.call<Page<ImageJob>>('/images', { query: { ...query, limit: pageSize }, signal }),
    [api],
  );
  const fail = useCallback((error: unknown) => {
    if (!isAbort(error)) setState((before) => ({ ...before, isLoading: false, error: asApiError(error) }));
  }, []);

  const load = useCallback(
    async (cursor: string | null) => {
      const current = run.current;
      if (!current) return;
      setState((before) => ({ ...before, isLoading: true, error: null }));
      const { query, controller } = current;
      await read(cursor === null ? query : { ...query, cursor }, controller.signal).then((page) => {
        if (controller.signal.aborted) return;
        setState((before) => ({
          list: addPage(before.list, page),
          isReady: true,
          isLoading: false,
          error: null,
        }));
      }, fail);
    },
    [read, fail],
  );

  // The filters are compared by their text, because the address makes a new object for each rendering.
  useEffect(() => {
    const controller = new AbortController();
    run.current = { query: apiQuery(filters, Date.now()), controller };
    setState(initial);
    void load(null);
    return () => controller.abort();
  }, [name, load]);

  const refreshIn = useRefresh(async () => {
    const current = run.current;
    if (!current) return;
    const page = await read(current.query, current.controller.signal).catch(() => null);
    if (!page || current.controller.signal.aborted) return;
    setState((before) => ({ ...before, list: mergeNewest(before.list, page.data, scrollY < topPx) }));
  });
  // Changes before the stream opened, or while it was closed for longer than it replays, are in no event.
  const { name: stream } = useStreamState();
  useEffect(() => {
    if (stream === 'open') refreshIn(refreshMs);
  }, [stream, refreshIn]);
  const [previews, setPreviews] = useState<Readonly<Record<string, string>>>({});
  const known = useRef(state.list);
  known.current = state.list;
  useEvents((event: ImageEvent) => {
    const isKnown = known.current.jobs.some(({ id }) => id === event.id);
    if (isKnown) setState((before) => ({ ...before, list: applyEvent(before.list, event, filters.status) }));
    else refreshIn(refreshMs);
    const preview = event.partial_image?.url;
    if (preview) setPreviews((before) => ({ ...before, [event.id]: preview }));
    if (event.type === 'image.succeeded') refreshIn(thumbnailMs);
  });

  const change = useCallback(
    (next: (list: JobList) => JobList) => setState((before) => ({ ...before, list: next(before.list) })),
    [],
  );
  return {
    ...state,
    /** Links to the latest previews of running jobs. */
    previews,
    loadMore: () => {
      if (!state.isLoading && !state.error && state.list.cursor) void load(state.list.cursor);
    },
    retry: () => void load(state.list.cursor),
    showWaiting: () => change(showWaiting),
    remove: (ids: ReadonlySet<string>) => change((list) => removeJobs(list, ids)),
    /** Reads a job again, whose links have expired. */
    renew: (id: string) =>
      void api.call<ImageJob>(`/images/${id}`).then(
        (job) => change((list) => replaceJob(list, job)),
        () => undefined,
      ),
  };
}
export type Jobs = ReturnType<typeof useJobs>;
