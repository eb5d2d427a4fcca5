import { useState } from 'preact/hooks';
import type { ApiError } from '../../api/client.ts';
import { newIdempotencyKey } from '../../api/idempotency-key.ts';
import type { ImageJob } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { Button } from '../../components/button.tsx';
import { Note } from '../../components/note.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { texts } from './texts.ts';

interface Props {
  readonly job: ImageJob;
  readonly onFollow: (job: ImageJob) => void;
}

/** The errors of a job: what failed, what was charged, and a retry if it may help. */
export function JobFailure({ job, onFollow }: Props) {
  const t = useText(texts);
  const c = useText(common);
  const errors = job.error ? [job.error] : job.image_errors;
  const canRetry = ['failed', 'canceled', 'expired'].includes(job.status);
  if (errors.length === 0 && job.status !== 'canceled') return null;
  return (
    <Note tone={job.status === 'succeeded' || job.status === 'canceled' ? 'warning' : 'danger'} icon="failed">
      {job.status === 'canceled' && errors.length === 0 ? (
        <div>
          <strong>{c('status.canceled')}</strong> · {c(`billing.${job.cost.billing}`)}
        </div>
      ) : null}
      {errors.map((error) => (
        <div key={`${error.index}${error.code}`} class="stack stack-tight">
          <div>
            {error.index === null ? null : <strong>{t('imageNumber', { count: error.index + 1 })} </strong>}
            {error.message}
          </div>
          <div class="row row-wrap">
            <a class="tag" href={`/docs/errors#${error.code}`} target="_blank" rel="noreferrer">
              {error.code}
            </a>
            <span class="faint">{c(`billing.${error.billing}`)}</span>
          </div>
        </div>
      ))}
      {canRetry ? <RetryJob job={job} onFollow={onFollow} /> : null}
    </Note>
  );
}

/** A button that submits the request of a job again. A lost connection repeats it with the same key. */
function RetryJob({ job, onFollow }: Props) {
  const c = useText(common);
  const { api } = useSession();
  const [key] = useState(newIdempotencyKey);
  const [state, setState] = useState<{ isBusy: boolean; error: ApiError | null }>({
    isBusy: false,
    error: null,
  });
  const retry = async () => {
    setState({ isBusy: true, error: null });
    try {
      onFollow(await api.call<ImageJob>(`/images/${job.id}/retry`, { method: 'POST', idempotencyKey: key }));
    } catch (error) {
      setState({ isBusy: false, error: asApiError(error) });
    }
  };
  return (
    <div class="stack stack-sm">
      <div class="row">
        <Button size="sm" icon="retry" isBusy={state.isBusy} onClick={() => void retry()}>
          {c('retry')}
        </Button>
      </div>
      {state.error ? <ProblemNote error={state.error} isAlert onRetry={() => void retry()} /> : null}
    </div>
  );
}
