import type { NewWebhookEndpoint } from '../../api/types.ts';
import { useSecret } from '../../components/secret-dialog.tsx';
import { formatTime } from '../../format/time.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { webhooks } from '../../strings/webhooks.ts';

/** Returns a function that shows the secret of an endpoint. A rotated one has an earlier secret, which signs for some time. */
export function useShowSecret(): (endpoint: NewWebhookEndpoint, isRotated: boolean) => void {
  const t = useText(webhooks);
  const { language } = useSettings().settings;
  const [, show] = useSecret();
  return ({ secret, secrets }, isRotated) => {
    const until = isRotated ? secrets.find(({ expires_at }) => expires_at !== null)?.expires_at : null;
    show({
      title: t('secret.title'),
      about: t('secret.text'),
      label: t('secret.label'),
      text: secret,
      warning: until ? t('secret.rotated', { time: formatTime(until, language) }) : undefined,
    });
  };
}
