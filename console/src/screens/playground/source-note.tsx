import { useEffect, useRef } from 'preact/hooks';
import { Button } from '../../components/button.tsx';
import { Note } from '../../components/note.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { shortId } from '../../format/short-id.ts';
import { href } from '../../lib/router.ts';
import { useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { texts } from './texts.ts';
import type { AddressForm, Source } from './use-address-form.ts';

/** Names the job that the form came from, and the values of the job that the form does not have. Reports a failure. */
export function SourceNote({ named }: { named: AddressForm }) {
  const { source, error, retry, clear } = named;
  const element = useRef<HTMLDivElement>(null);
  const hasNote = source !== null || error !== null;
  // The form may be scrolled, or lie above the visible part of a narrow window.
  useEffect(() => element.current?.scrollIntoView({ block: 'center' }), [hasNote, source?.id]);
  if (!hasNote) return null;
  return (
    <div ref={element}>
      {error ? <ProblemNote error={error} onRetry={retry} isAlert /> : null}
      {source ? <SourceText source={source} onClose={clear} /> : null}
    </div>
  );
}

function SourceText({ source, onClose }: { source: Source; onClose: () => void }) {
  const t = useText(texts);
  const c = useText(common);
  const { id, isWhole, missing } = source;
  const job = (
    <a href={href(`/jobs/${id}`)} title={id}>
      {shortId(id)}
    </a>
  );
  const isLess = missing.length > 0;
  return (
    <Note
      icon={isLess ? 'warning' : 'info'}
      role="status"
      {...(isLess ? { tone: 'warning' as const } : {})}
      action={<Button kind="quiet" size="sm" icon="close" label={c('closeMessage')} onClick={onClose} />}
    >
      {isWhole ? <div>{t.rich('reuse.from', { job })}</div> : null}
      {isLess ? <div>{t.rich('reuse.missing', { fields: <code>{missing.join(', ')}</code> })}</div> : null}
    </Note>
  );
}
