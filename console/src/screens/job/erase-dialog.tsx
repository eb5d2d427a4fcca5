import { useState } from 'preact/hooks';
import { ApiError } from '../../api/api-error.ts';
import type { ImageJob } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { ConfirmDialog } from '../../components/dialog.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { job as table } from '../../strings/job.ts';

interface Props {
  readonly jobs: readonly ImageJob[];
  /** Called with the jobs that were erased. */
  readonly onErased: (ids: ReadonlySet<string>) => void;
  readonly onClose: () => void;
}

/** Confirms the erasure of jobs. If one erasure fails, the dialog stays and offers the others again. */
export function EraseDialog({ jobs, onErased, onClose }: Props) {
  const t = useText(table);
  const { api } = useSession();
  const [left, setLeft] = useState(jobs);
  const erase = async () => {
    const done = new Set<string>();
    try {
      for (const { id } of left) {
        await api.call(`/images/${id}`, { method: 'DELETE' }).catch(ignoreGone);
        done.add(id);
      }
    } finally {
      setLeft(left.filter(({ id }) => !done.has(id)));
      if (done.size > 0) onErased(done);
    }
  };
  const hasRunning = left.some(({ finished_at }) => finished_at === null);
  return (
    <ConfirmDialog
      title={t('erase.title', { count: left.length })}
      text={hasRunning ? t('erase.textRunning') : t('erase.text')}
      keep={t('erase.keep')}
      confirm={t('erase')}
      icon="erase"
      onConfirm={erase}
      onError={(error) => <ProblemNote error={asApiError(error)} isAlert />}
      onClose={onClose}
    />
  );
}

/** A job that is erased already is what the user wants. */
function ignoreGone(error: unknown): void {
  if (error instanceof ApiError && (error.status === 404 || error.status === 410)) return;
  throw error;
}
