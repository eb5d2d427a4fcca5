import { useState } from 'preact/hooks';
import type { ApiError } from '../../api/api-error.ts';
import type { ImageJob } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { useCan, useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { job as table } from '../../strings/job.ts';
import { isRetryable } from './estimate-body.ts';
import { ImageActions } from './image-actions.tsx';

/** Actions that open a dialog. */
export type Action = 'retry' | 'settle' | 'erase';

interface Props {
  readonly job: ImageJob;
  readonly onAction: (action: Action) => void;
  readonly onChanged: (job: ImageJob) => void;
  readonly onError: (error: ApiError) => void;
}

/** The actions that the status of a job allows. */
export function JobActions({ job, onAction, onChanged, onError }: Props) {
  const t = useText(table);
  const can = useCan();
  const mayWrite = can('images:write');
  const isOpen = job.finished_at === null;
  return (
    <>
      <CopyButton text={job.id} className="wide-only">
        {t('copyId')}
      </CopyButton>
      {mayWrite && isOpen ? <CancelButton job={job} onChanged={onChanged} onError={onError} /> : null}
      {mayWrite && isRetryable(job) ? (
        <Button size="sm" icon="retry" onClick={() => onAction('retry')}>
          {t('retry')}
        </Button>
      ) : null}
      <ImageActions job={job} isCompact />
      {mayWrite ? (
        <Button size="sm" kind="quiet" icon="erase" label={t('erase')} onClick={() => onAction('erase')} />
      ) : null}
    </>
  );
}

/** Cancels a job at once: a canceled job can be retried. */
function CancelButton({ job, onChanged, onError }: Omit<Props, 'onAction'>) {
  const t = useText(table);
  const { api, toast } = useSession();
  const [isBusy, setBusy] = useState(false);
  const cancel = async () => {
    setBusy(true);
    try {
      onChanged(await api.call<ImageJob>(`/images/${job.id}/cancel`, { method: 'POST' }));
      toast(t('canceled'));
    } catch (error) {
      onError(asApiError(error));
    }
    setBusy(false);
  };
  return (
    <Button
      size="sm"
      icon="canceled"
      isBusy={isBusy}
      isDisabled={job.cancel_requested_at !== null}
      onClick={() => void cancel()}
    >
      {t('cancel')}
    </Button>
  );
}
