import { useEffect } from 'preact/hooks';
import { useSessionState } from '../lib/session-state.ts';
import { useText } from '../lib/settings.ts';
import { common } from '../strings/common.ts';
import { Button } from './button.tsx';
import { CopyButton } from './copy-button.tsx';
import { Dialog } from './dialog.tsx';
import { Note } from './note.tsx';
import { TextRegion } from './text-region.tsx';

/** A text that no other response contains, with the words that explain it. */
interface Secret {
  readonly title: string;
  readonly about: string;
  readonly label: string;
  readonly text: string;
  /** The time until which an earlier text is valid. */
  readonly warning?: string | undefined;
}

/** Returns the secret that the user has not put away yet, and the function that shows one. */
export function useSecret(): [Secret | null, (secret: Secret | null) => void] {
  const [secret, change] = useSessionState<Secret | null>('secret', null);
  return [secret, (next) => change(() => next)];
}

/** Shows a secret above every screen. Only its button closes the dialog, so that no slip loses the secret. */
export function SecretDialog() {
  const t = useText(common);
  const [secret, show] = useSecret();
  const isShown = secret !== null;
  useEffect(() => {
    if (!isShown) return;
    const ask = (event: Event) => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [isShown]);
  if (!secret) return null;
  const { title, about, label, text, warning } = secret;
  return (
    <Dialog title={title} onClose={() => undefined}>
      <p class="muted">{about}</p>
      <div class="row">
        <TextRegion label={label} text={text} className="code-plain code-wrap grow" />
        <CopyButton text={text}>{t('copy')}</CopyButton>
      </div>
      {warning ? (
        <Note tone="warning" icon="expired">
          {warning}
        </Note>
      ) : null}
      <div class="row">
        <Button kind="primary" className="push" onClick={() => show(null)}>
          {t('done')}
        </Button>
      </div>
    </Dialog>
  );
}
