import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { newIdempotencyKey } from '../../api/idempotency-key.ts';
import type { ImageJob, ImagePreview } from '../../api/types.ts';
import { asApiError, useLive } from '../../api/use-live.ts';
import { Button } from '../../components/button.tsx';
import { CostBounds } from '../../components/cost-bounds.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { useSession } from '../../lib/context.ts';
import { href, navigate } from '../../lib/router.ts';
import { useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { job as table } from '../../strings/job.ts';
import { retryBody, variationBody } from './estimate-body.ts';

interface DialogProps {
  readonly job: ImageJob;
  /** Shows the new job. Default: its screen. */
  readonly onMade?: ((made: ImageJob) => void) | undefined;
  readonly onClose: () => void;
}

/** Confirms a retry, with its cost. */
export function RetryDialog({ job, onMade, onClose }: DialogProps) {
  const t = useText(table);
  return (
    <SpendDialog
      title={t('retry.title')}
      text={t('retry.text')}
      confirm={t('retry')}
      path={`/images/${job.id}/retry`}
      estimated={retryBody(job)}
      onMade={onMade}
      onClose={onClose}
    />
  );
}

/** Confirms a variation of an image, with its cost. */
export function VaryDialog({ job, index, onMade, onClose }: DialogProps & { readonly index: number }) {
  const t = useText(table);
  const [prompt, setPrompt] = useState(job.prompt.original);
  return (
    <SpendDialog
      title={t('vary.title')}
      text={t('vary.text')}
      confirm={t('vary')}
      path={`/images/${job.id}/variations`}
      body={{ index, n: 1, prompt }}
      estimated={variationBody(job, index, prompt)}
      isDisabled={prompt.trim() === ''}
      onMade={onMade}
      onClose={onClose}
    >
      <label class="field">
        <span class="label">{t('prompt')}</span>
        <textarea
          class="textarea"
          dir="auto"
          rows={4}
          value={prompt}
          onInput={(event) => setPrompt(event.currentTarget.value)}
        />
      </label>
    </SpendDialog>
  );
}

const openJob = ({ id }: ImageJob) => navigate(href(`/jobs/${id}`));

interface Props {
  readonly title: string;
  readonly text: string;
  readonly confirm: string;
  /** Call that creates the job. */
  readonly path: string;
  readonly body?: unknown;
  /** Request whose cost is shown; null if its inputs cannot be named again. */
  readonly estimated: Readonly<Record<string, unknown>> | null;
  readonly isDisabled?: boolean;
  readonly onMade?: DialogProps['onMade'];
  readonly onClose: () => void;
  readonly children?: ComponentChildren;
}

/** Confirms a new job and shows its upper bound first. */
function SpendDialog({
  title,
  text,
  confirm,
  path,
  body,
  estimated,
  isDisabled = false,
  onMade = openJob,
  onClose,
  children,
}: Props) {
  const c = useText(common);
  const { api, refreshSelf } = useSession();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  // A repetition after a lost connection has the same key, so it never creates a second job.
  const key = useRef<{ body: string; key: string } | null>(null);
  const preview = useLive(
    (signal) => api.call<ImagePreview>('/images?dry_run=true', { body: estimated, signal }),
    [JSON.stringify(estimated)],
    { isEnabled: estimated !== null },
  );
  const create = async () => {
    setBusy(true);
    setError(null);
    const text = JSON.stringify(body ?? null);
    if (key.current?.body !== text) key.current = { body: text, key: newIdempotencyKey() };
    try {
      const made = await api.call<ImageJob>(path, { method: 'POST', body, idempotencyKey: key.current.key });
      refreshSelf();
      onClose();
      onMade(made);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <p class="muted">{text}</p>
      {children}
      <CostBounds preview={preview} />
      {error ? <ProblemNote error={asApiError(error)} isAlert onRetry={() => void create()} /> : null}
      <div class="row">
        <Button className="push" onClick={onClose}>
          {c('cancel')}
        </Button>
        <Button kind="primary" isBusy={isBusy} isDisabled={isDisabled} onClick={() => void create()}>
          {confirm}
        </Button>
      </div>
    </Dialog>
  );
}
