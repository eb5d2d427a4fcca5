import { useEffect, useState } from 'preact/hooks';
import type { ApiError } from '../../api/api-error.ts';
import { useServerNow } from '../../api/server-clock.ts';
import type { Image, ImageJob } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { JobBadge } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { ConnectionNote } from '../../components/connection-note.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { Delayed } from '../../components/state.tsx';
import { formatClock } from '../../format/time.ts';
import { useSession } from '../../lib/context.ts';
import { href } from '../../lib/router.ts';
import { useText } from '../../lib/settings.ts';
import { JobFailure } from './job-failure.tsx';
import { isTerminal, type Slot, slotsOf } from './progress.ts';
import { ResultImages } from './result-images.tsx';
import { Stages } from './stages.tsx';
import { texts } from './texts.ts';
import { useJob } from './use-job.ts';

interface Props {
  readonly jobId: string;
  readonly onEdit: (image: Image, jobId: string) => void;
  /** Shows another job, for example a retry or a variation. */
  readonly onFollow: (job: ImageJob) => void;
  readonly onEnd: () => void;
}

/** The current job: status, stages, images and cost. */
export function JobResult({ jobId, onEdit, onFollow, onEnd }: Props) {
  const t = useText(texts);
  const { data: job, error, refresh, set, progress } = useJob(jobId);
  const hasEnded = job !== undefined && isTerminal(job);
  useEffect(() => {
    if (hasEnded) onEnd();
  }, [hasEnded]);
  if (!job) {
    return (
      <section class="stack" aria-label={t('result')} aria-busy={error === null}>
        {error ? (
          <ProblemNote error={error} onRetry={refresh} />
        ) : (
          <Delayed>
            <div class="skeleton wide" />
          </Delayed>
        )}
      </section>
    );
  }
  const slots = slotsOf(job, progress);
  return (
    <section class="stack" aria-label={t('result')}>
      <div class="stack stack-sm">
        <Head job={job} slots={slots} onChange={set} />
        <Stages job={job} progress={progress} summary={summaryOf(job, slots, t)} />
      </div>
      {hasEnded ? null : <ConnectionNote />}
      <JobFailure job={job} onFollow={onFollow} />
      {job.status === 'failed' || job.status === 'expired' || job.status === 'canceled' ? null : (
        <ResultImages job={job} slots={slots} onEdit={onEdit} onFollow={onFollow} />
      )}
    </section>
  );
}

type Translate = ReturnType<typeof useText<keyof typeof texts.en>>;

function summaryOf(job: ImageJob, slots: readonly Slot[], t: Translate): string {
  const done = slots.filter(({ kind }) => kind === 'image').length;
  if (job.status === 'queued') {
    const { position } = job.queue;
    return position === null ? t('waiting') : t('position', { count: position });
  }
  return t('stored', { count: slots.length, done });
}

function Head({
  job,
  slots,
  onChange,
}: {
  job: ImageJob;
  slots: readonly Slot[];
  onChange: (job: ImageJob) => void;
}) {
  const t = useText(texts);
  const { api } = useSession();
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const cancel = async () => {
    setBusy(true);
    setFailure(null);
    try {
      onChange(await api.call<ImageJob>(`/images/${job.id}/cancel`, { method: 'POST' }));
    } catch (error) {
      // The job may have ended in between. Its record says so in a moment.
      if (asApiError(error).problem?.code !== 'already_terminal') setFailure(asApiError(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <div class="row row-wrap">
        <JobBadge job={job} />
        <span class="strong" role="status">
          {summaryOf(job, slots, t)}
        </span>
        <a class="tag truncate" href={href(`/jobs/${job.id}`)}>
          {job.id}
        </a>
        <span class="push row">
          <Clock job={job} />
          {isTerminal(job) ? null : (
            <Button size="sm" isBusy={isBusy} onClick={() => void cancel()}>
              {t('cancel')}
            </Button>
          )}
        </span>
      </div>
      {failure ? <ProblemNote error={failure} isAlert /> : null}
    </>
  );
}

/** The time since the job was accepted. It stops when the job ends. */
function Clock({ job }: { job: ImageJob }) {
  const now = useServerNow(!isTerminal(job), 1_000);
  const end = job.finished_at ? Date.parse(job.finished_at) : now;
  return <span class="muted num">{formatClock(end - Date.parse(job.created_at))}</span>;
}
