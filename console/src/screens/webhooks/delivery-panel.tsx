import type { WebhookDelivery } from '../../api/types.ts';
import { useLive } from '../../api/use-live.ts';
import { Button, buttonClass } from '../../components/button.tsx';
import { Note } from '../../components/note.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { SkeletonLines } from '../../components/state.tsx';
import { Time } from '../../components/time.tsx';
import { formatRelative } from '../../format/relative.ts';
import { formatShortTime } from '../../format/time.ts';
import { useSession } from '../../lib/context.ts';
import { href } from '../../lib/router.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { webhooks } from '../../strings/webhooks.ts';
import { Attempts } from './attempts.tsx';
import { DeliveryBadge } from './delivery-table.tsx';
import { Panel } from './panel.tsx';
import { useAction } from './use-action.ts';

const refreshMs = 5_000;

interface Props {
  readonly id: string;
  /** Called after the event was sent again. */
  readonly onChange: () => void;
}

/** One delivery: why it did not arrive, when it is tried again, and every attempt. */
export function DeliveryPanel({ id, onChange }: Props) {
  const t = useText(webhooks);
  const { api, toast } = useSession();
  const path = `/webhooks/deliveries/${encodeURIComponent(id)}`;
  const live = useLive((signal) => api.call<WebhookDelivery>(path, { signal }), [id], { everyMs: refreshMs });
  const { busy, error, run } = useAction();
  const delivery = live.data;
  const redeliver = () =>
    run('redeliver', async () => {
      live.set(await api.call<WebhookDelivery>(`${path}/redeliver`, { method: 'POST' }));
      toast(t('redelivered'));
      onChange();
    });
  return (
    <Panel
      key={id}
      name="delivery"
      label={t('delivery')}
      title={delivery?.type ?? t('delivery')}
      badge={delivery ? <DeliveryBadge delivery={delivery} /> : null}
    >
      {live.error ? <ProblemNote error={live.error} onRetry={live.refresh} /> : null}
      {delivery ? (
        <>
          <Outlook delivery={delivery} />
          {error ? <ProblemNote error={error} isAlert /> : null}
          <div class="row">
            <Button
              kind="primary"
              className="grow"
              icon="retry"
              isBusy={busy !== null}
              onClick={() => void redeliver()}
            >
              {t('redeliver')}
            </Button>
            {delivery.image_id ? (
              <a class={buttonClass({})} href={href(`/jobs/${delivery.image_id}`)}>
                {t('openJob')}
              </a>
            ) : null}
          </div>
          <Facts delivery={delivery} />
          <Attempts attempts={delivery.attempts} total={delivery.attempt_count} />
        </>
      ) : live.error ? null : (
        <SkeletonLines count={6} />
      )}
    </Panel>
  );
}

/** Says what happens next: the next attempt, or that there is none. */
function Outlook({ delivery }: { delivery: WebhookDelivery }) {
  const t = useText(webhooks);
  const { language } = useSettings().settings;
  const { status, next_attempt_at: next, delayed_by: delay, attempt_count } = delivery;
  if (status === 'failed') {
    return (
      <Note tone="danger" icon="failed">
        <strong>{t('ended')}</strong>
        {delivery.attempts.length === 0 && delivery.outcome ? <code>{delivery.outcome}</code> : null}
        <span>{t('endedText')}</span>
      </Note>
    );
  }
  if (status !== 'pending' || next === null) return null;
  const now = Date.now();
  const isDue = Date.parse(next) <= now;
  const time = formatShortTime(next, now, language);
  return (
    <Note tone="warning" icon="expired">
      <strong>
        {isDue ? t('nextAttemptNow') : t('nextAttempt', { when: formatRelative(next, now, language) })}
      </strong>
      <span>{t('nextAttemptText', { number: attempt_count + 1, time })}</span>
      {delay ? <span>{t(`delayed.${delay}`)}</span> : null}
    </Note>
  );
}

function Facts({ delivery }: { delivery: WebhookDelivery }) {
  const t = useText(webhooks);
  return (
    <dl class="facts">
      <dt>{t('webhookId')}</dt>
      <dd class="mono">{delivery.event_id}</dd>
      <dt>{t('deliveryId')}</dt>
      <dd class="mono">{delivery.id}</dd>
      <dt>{t('eventTime')}</dt>
      <dd>
        <Time at={delivery.event_at} seconds />
      </dd>
      <dt>{t('sentTo')}</dt>
      <dd>
        {delivery.url}
        {delivery.endpoint_id === null ? <div class="faint">{t('ofJob')}</div> : null}
      </dd>
    </dl>
  );
}
