import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ApiError } from '../api/api-error.ts';
import { useText } from '../lib/settings.ts';
import { common } from '../strings/common.ts';
import { Button } from './button.tsx';
import { CopyButton } from './copy-button.tsx';
import { Note } from './note.tsx';

interface Props {
  readonly error: ApiError;
  /** Offered if the error is retryable. */
  readonly onRetry?: (() => void) | undefined;
  /** Whether the error follows an action of the user, so that screen readers announce it. */
  readonly isAlert?: boolean;
  /** The one action besides a retry. */
  readonly action?: ComponentChildren;
}

/** A failed call: what failed, its code with a link to its documentation, what was charged, and what to do next. */
export function ProblemNote({ error, onRetry, isAlert = false, action }: Props) {
  const t = useText(common);
  const { problem, status } = error;
  if (error.isConnectionLost) {
    return (
      <Note
        tone="warning"
        icon="offline"
        {...(isAlert ? { role: 'alert' as const } : {})}
        action={onRetry ? <RetryButton error={error} onRetry={onRetry} /> : undefined}
      >
        <div>
          <strong>{t('connection.lost')}</strong> {t('connection.jobsContinue')}
        </div>
      </Note>
    );
  }
  return (
    <Note tone="danger" icon="failed" {...(isAlert ? { role: 'alert' as const } : {})}>
      <div>
        <strong>{problem?.title ?? t('problem.unexpected')}</strong> {error.message}
      </div>
      <div class="row row-wrap">
        {problem ? (
          <a class="tag" href={problem.type} target="_blank" rel="noreferrer">
            {problem.code}
          </a>
        ) : null}
        <span class="faint">
          {status}
          {/* Only an ended call has a charge. */}
          {problem?.billing ? ` · ${t(`billing.${problem.billing}`)}` : null}
        </span>
      </div>
      <div class="row row-wrap">
        {action}
        {onRetry && (problem?.retryable ?? true) ? <RetryButton error={error} onRetry={onRetry} /> : null}
        {problem?.request_id ? (
          <CopyButton text={problem.request_id} label={t('copyRequestId', { id: problem.request_id })}>
            <span class="mono">{problem.request_id}</span>
          </CopyButton>
        ) : null}
      </div>
    </Note>
  );
}

/** Says that a request without a known outcome is repeated. */
export function RepeatingNote() {
  const t = useText(common);
  return (
    <Note tone="warning" icon="offline" role="status">
      {t('repeating')}
    </Note>
  );
}

/** A button that repeats a call. It counts the seconds of `Retry-After` down first. */
function RetryButton({ error, onRetry }: { error: ApiError; onRetry: () => void }) {
  const t = useText(common);
  const [left, setLeft] = useState(error.retryAfterS ?? 0);
  useEffect(() => {
    setLeft(error.retryAfterS ?? 0);
    const timer = setInterval(() => setLeft((seconds) => Math.max(0, seconds - 1)), 1000);
    return () => clearInterval(timer);
  }, [error]);
  return (
    <Button size="sm" icon="retry" isDisabled={left > 0} onClick={onRetry}>
      {left > 0 ? t('retryIn', { count: left }) : t('retry')}
    </Button>
  );
}
