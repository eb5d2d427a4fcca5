import type { NewWebhookEndpoint } from '../../api/types.ts';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Note } from '../../components/note.tsx';
import { TextRegion } from '../../components/text-region.tsx';
import { formatTime } from '../../format/time.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { webhooks } from '../../strings/webhooks.ts';

interface Props {
  readonly endpoint: NewWebhookEndpoint;
  /** Whether an earlier secret exists, which signs for some time. */
  readonly isRotated: boolean;
  readonly onClose: () => void;
}

/** Shows a secret, which no other response contains. Only its button closes the dialog, so that no slip loses the secret. */
export function SecretDialog({ endpoint, isRotated, onClose }: Props) {
  const t = useText(webhooks);
  const c = useText(common);
  const { language } = useSettings().settings;
  const until = endpoint.secrets.find(({ expires_at }) => expires_at !== null)?.expires_at;
  return (
    <Dialog title={t('secret.title')} onClose={() => undefined}>
      <p class="muted">{t('secret.text')}</p>
      <div class="row">
        <TextRegion label={t('secret.label')} text={endpoint.secret} className="code-plain code-wrap grow" />
        <CopyButton text={endpoint.secret}>{c('copy')}</CopyButton>
      </div>
      {isRotated && until ? (
        <Note tone="warning" icon="expired">
          {t('secret.rotated', { time: formatTime(until, language) })}
        </Note>
      ) : null}
      <div class="row">
        <Button kind="primary" className="push" onClick={onClose}>
          {t('secret.done')}
        </Button>
      </div>
    </Dialog>
  );
}
