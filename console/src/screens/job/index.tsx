import { useEffect, useState } from 'preact/hooks';
import type { ApiError } from '../../api/api-error.ts';
import type { ImageEvent, ImageJob } from '../../api/types.ts';
import { type Live, useLive } from '../../api/use-live.ts';
import { useRefresh } from '../../api/use-refresh.ts';
import { buttonClass } from '../../components/button.tsx';
import { ConnectionNote } from '../../components/connection-note.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Page } from '../../components/page.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { EmptyState, SkeletonLines } from '../../components/state.tsx';
import { formatTime } from '../../format/time.ts';
import { useEvents, useSession } from '../../lib/context.ts';
import { href, navigate } from '../../lib/router.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { useKeys } from '../../lib/shortcuts.ts';
import type { ScreenProps } from '../../screen-props.ts';
import { job as table } from '../../strings/job.ts';
import { type Action, JobActions } from './actions.tsx';
import { AttemptsCard } from './attempts-card.tsx';
import { ImagesCard, InputsCard, PromptCard, RawCard } from './details.tsx';
import { EraseDialog } from './erase-dialog.tsx';
import { JobHead } from './head.tsx';
import { ImageActions } from './image-actions.tsx';
import { Lineage } from './lineage.tsx';
import { neighborInGallery } from './neighbors.ts';
import { Notes } from './notes.tsx';
import { SettleDialog } from './settle-dialog.tsx';
import { Deliveries, EventList } from './side-lists.tsx';
import { RetryDialog } from './spend-dialog.tsx';
import { TimelineCard } from './timeline-card.tsx';
import { useJobEvents } from './use-job-events.ts';

/** Pause in which several events of a job cause one read. */
const refreshMs = 250;
/** Time that a worker usually needs for thumbnails after the end of a job. */
const thumbnailMs = 2_500;

/** A job: what happened, how long it took, what was paid. */
export function Screen({ params }: ScreenProps) {
  const { id = '' } = params;
  return <JobScreen key={id} id={id} />;
}

function JobScreen({ id }: { id: string }) {
  const t = useText(table);
  const { api } = useSession();
  const live = useLive((signal) => api.call<ImageJob>(`/images/${id}`, { signal }), [api, id]);
  const events = useJobEvents(id);
  const [action, setAction] = useState<Action | null>(null);
  const [failure, setFailure] = useState<ApiError | null>(null);
  useRefreshByEvents(id, live, events);
  const open = (step: 1 | -1) => {
    const next = neighborInGallery(id, step);
    if (next) navigate(href(`/jobs/${next}`));
  };
  useKeys({ j: () => open(1), k: () => open(-1) });
  const { data: job, error } = live;
  const isGone = error?.status === 404 || error?.status === 410;
  const shown = isGone ? undefined : job;
  return (
    <Page
      title={id}
      heading={<Heading id={id} />}
      layout="split"
      actions={
        shown ? (
          <JobActions job={shown} onAction={setAction} onChanged={live.set} onError={setFailure} />
        ) : (
          <span />
        )
      }
    >
      <div class="page stack">
        {error && isGone ? <Gone error={error} /> : null}
        {error && !isGone ? <ProblemNote error={error} onRetry={live.refresh} /> : null}
        {!job && !error ? <SkeletonLines count={6} /> : null}
        {job?.finished_at === null ? <ConnectionNote /> : null}
        {failure ? <ProblemNote error={failure} isAlert /> : null}
        {shown ? <Content job={shown} events={events} onSettle={() => setAction('settle')} /> : null}
      </div>
      <aside class="inspector stack stack-lg" aria-label={t('aside')}>
        {shown ? (
          <>
            <Lineage job={shown} />
            <Deliveries job={shown} />
            <EventList events={events} />
          </>
        ) : null}
      </aside>
      {job && action ? (
        <Dialogs job={job} action={action} onChanged={live.set} onClose={() => setAction(null)} />
      ) : null}
    </Page>
  );
}

function Heading({ id }: { id: string }) {
  const t = useText(table);
  return (
    <span class="row">
      <a class="crumb wide-only" href={href('/gallery')}>
        {t('gallery')}
      </a>
      <span class="crumb wide-only" aria-hidden="true">
        /
      </span>
      <span class="mono truncate">{id}</span>
    </span>
  );
}

/** Everything about a job except its relations. */
function Content(props: { job: ImageJob; events: readonly ImageEvent[]; onSettle: () => void }) {
  const { job, events, onSettle } = props;
  const t = useText(table);
  return (
    <>
      <JobHead job={job} />
      <div class="narrow-only row row-wrap">
        <ImageActions job={job} />
        <CopyButton text={job.id}>{t('copyId')}</CopyButton>
      </div>
      <Notes job={job} onSettle={onSettle} />
      <TimelineCard job={job} events={events} />
      <AttemptsCard job={job} />
      <ImagesCard job={job} />
      <PromptCard job={job} />
      <InputsCard job={job} />
      <RawCard job={job} />
    </>
  );
}

/** Reads the job again after its events, and once more when its thumbnails are probably made. */
function useRefreshByEvents(
  id: string,
  { data, refresh }: Live<ImageJob>,
  events: readonly ImageEvent[],
): void {
  // The job may have ended between its reading and the opening of the stream. Its events then say so.
  const isBehind = data?.finished_at === null && events.some(({ job }) => job !== undefined);
  useEffect(() => {
    if (isBehind) refresh();
  }, [isBehind]);
  const refreshIn = useRefresh(refresh);
  useEvents((event) => {
    refreshIn(refreshMs);
    if (event.type === 'image.succeeded') refreshIn(thumbnailMs);
  }, id);
}

/** A job that was erased, or that does not exist for this key. */
function Gone({ error }: { error: ApiError }) {
  const t = useText(table);
  const { language } = useSettings().settings;
  const isErased = error.status === 410;
  // The detail of the problem is the only place of the time.
  const erasedAt = isErased ? /\d{4}-[\dT:.-]+Z/.exec(error.message)?.[0] : undefined;
  return (
    <EmptyState
      icon={isErased ? 'erase' : 'info'}
      title={t(isErased ? 'gone.erased' : 'gone.unknown')}
      text={
        !isErased
          ? t('gone.unknownText')
          : erasedAt
            ? t('gone.erasedText', { time: formatTime(erasedAt, language) })
            : error.message
      }
    >
      <a class={buttonClass({})} href={href('/gallery')}>
        {t('gone.gallery')}
      </a>
    </EmptyState>
  );
}

function Dialogs(props: {
  job: ImageJob;
  action: Action;
  onChanged: (job: ImageJob) => void;
  onClose: () => void;
}) {
  const { job, action, onChanged, onClose } = props;
  const t = useText(table);
  const { toast } = useSession();
  if (action === 'retry') return <RetryDialog job={job} onClose={onClose} />;
  if (action === 'settle') return <SettleDialog job={job} onSettled={onChanged} onClose={onClose} />;
  return (
    <EraseDialog
      jobs={[job]}
      onErased={() => {
        toast(t('erased', { count: 1 }));
        navigate(href('/gallery'));
      }}
      onClose={onClose}
    />
  );
}
