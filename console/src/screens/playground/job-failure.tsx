import { useState } from 'preact/hooks';
import type { ImageJob } from '../../api/types.ts';
import { Button } from '../../components/button.tsx';
import { Note } from '../../components/note.tsx';
import { useCan } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { isRetryable } from '../job/estimate-body.ts';
import { RetryDialog } from '../job/spend-dialog.tsx';
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
  const canRetry = useCan()('images:write') && isRetryable(job);
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

/** A button that submits the request of a job again, after its cost was shown. */
function RetryJob({ job, onFollow }: Props) {
  const c = useText(common);
  const [isOpen, setOpen] = useState(false);
  return (
    <div class="row">
      <Button size="sm" icon="retry" onClick={() => setOpen(true)}>
        {c('retry')}
      </Button>
      {isOpen ? <RetryDialog job={job} onMade={onFollow} onClose={() => setOpen(false)} /> : null}
    </div>
  );
}
