import type { Page, WebhookEndpoint } from '../api/types.ts';
import { useLive } from '../api/use-live.ts';
import { useSession } from '../lib/context.ts';
import { useText } from '../lib/settings.ts';
import { common } from '../strings/common.ts';
import { Icon } from './icon.tsx';

const refreshMs = 60_000;

/** The number of webhook endpoints that fail or were disabled by the service. Nothing if all work. */
export function FailingEndpoints() {
  const t = useText(common);
  const { api } = useSession();
  const { data } = useLive(
    (signal) => api.call<Page<WebhookEndpoint>>('/webhooks/endpoints', { query: { limit: 100 }, signal }),
    [],
    { everyMs: refreshMs },
  );
  const count = (data?.data ?? []).filter(needsAttention).length;
  if (count === 0) return null;
  return (
    <span class="nav-count" title={t('failingEndpoints', { count })}>
      <Icon name="warning" />
      <span aria-hidden="true">{count}</span>
      <span class="visually-hidden">{t('failingEndpoints', { count })}</span>
    </span>
  );
}

/** An endpoint that its owner disabled needs no attention. */
const needsAttention = ({ disabled_reason, health }: WebhookEndpoint) =>
  disabled_reason === null ? health.failing_since !== null : disabled_reason !== 'requested';
