import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { ImageJob } from '../../api/types.ts';
import { useEstimate } from '../../api/use-estimate.ts';
import { useSubmission } from '../../api/use-submission.ts';
import { Button } from '../../components/button.tsx';
import { CostBounds } from '../../components/cost-bounds.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { ProblemNote, RepeatingNote } from '../../components/problem.tsx';
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
  const path = `/images/${job.id}/retry`;
  return (
    <SpendDialog
      title={t('retry.title')}
      text={t('retry.text')}
      confirm={t('retry')}
      submission={{ path }}
      submitting={useMaking(path, { onMade, onClose })}
      estimated={retryBody(job)}
      onClose={onClose}
    />
  );
}

/** Confirms a variation of an image, with its cost. */
export function VaryDialog({ job, index, onMade, onClose }: DialogProps & { readonly index: number }) {
  const t = useText(table);
  const path = `/images/${job.id}/variations`;
  const submitting = useMaking(`${path} ${index}`, { onMade, onClose });
  const pending = submitting.pending?.body as { prompt: string } | undefined;
  const [prompt, setPrompt] = useState(pending?.prompt ?? job.prompt.original);
  return (
    <SpendDialog
      title={t('vary.title')}
      text={t('vary.text')}
      confirm={t('vary')}
      submission={{ path, body: { index, n: 1, prompt } }}
      submitting={submitting}
      estimated={variationBody(job, index, prompt)}
      isDisabled={prompt.trim() === ''}
      onClose={onClose}
    >
      <label class="field">
        <span class="label">{t('prompt')}</span>
        <textarea
          class="textarea"
          dir="auto"
          rows={4}
          value={prompt}
          disabled={pending !== undefined}
          onInput={(event) => setPrompt(event.currentTarget.value)}
        />
      </label>
    </SpendDialog>
  );
}

const openJob = ({ id }: ImageJob) => navigate(href(`/jobs/${id}`));

/** Submits the call of a dialog. The dialog closes when the job is made, also if it was closed and opened again before. */
function useMaking(purpose: string, { onMade = openJob, onClose }: Pick<DialogProps, 'onMade' | 'onClose'>) {
  return useSubmission(purpose, (made) => {
    onClose();
    onMade(made);
  });
}

interface Props {
  readonly title: string;
  readonly text: string;
  readonly confirm: string;
  /** Call that creates the job. */
  readonly submission: { readonly path: string; readonly body?: unknown };
  readonly submitting: ReturnType<typeof useMaking>;
  /** Request whose cost is shown; null if its inputs cannot be named again. */
  readonly estimated: Readonly<Record<string, unknown>> | null;
  readonly isDisabled?: boolean;
  readonly onClose: () => void;
  readonly children?: ComponentChildren;
}

/** Confirms a new job and shows its upper bound first. */
function SpendDialog(props: Props) {
  const { title, text, confirm, submission, submitting, estimated, isDisabled = false } = props;
  const c = useText(common);
  const { api } = useSession();
  const estimate = useEstimate(api, estimated && JSON.stringify(estimated));
  const { preview, error, isLoading } = estimate;
  // The amount on the screen must be that of the click. Without a request to estimate it is shown as unknown.
  const isPriced = estimated === null || (preview !== null && !isLoading && !error);
  const submit = () => submitting.submit(submission);
  return (
    <Dialog title={title} onClose={props.onClose}>
      <p class="muted">{text}</p>
      {props.children}
      <CostBounds preview={{ data: preview ?? undefined, isLoading }} />
      {error ? <ProblemNote error={error} /> : null}
      {submitting.error ? <ProblemNote error={submitting.error} isAlert onRetry={submitting.retry} /> : null}
      {submitting.isRepeating ? <RepeatingNote /> : null}
      <div class="row">
        <Button className="push" onClick={props.onClose}>
          {c('cancel')}
        </Button>
        <Button
          kind="primary"
          isBusy={submitting.pending !== null}
          isDisabled={isDisabled || !isPriced}
          onClick={submit}
        >
          {confirm}
        </Button>
      </div>
    </Dialog>
  );
}
