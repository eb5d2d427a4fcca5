import type { WebhookEndpoint } from '../../api/types.ts';
import { Badge } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { TableRegion } from '../../components/table.tsx';
import { formatRelative } from '../../format/relative.ts';
import { formatShortTime, formatTime } from '../../format/time.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { webhooks } from '../../strings/webhooks.ts';
import type { EndpointAction } from './dialogs.tsx';
import { hrefWith } from './links.ts';
import { healthOf } from './view.ts';

interface Props {
  readonly endpoints: readonly WebhookEndpoint[];
  readonly selected: string | null;
  readonly query: URLSearchParams;
  /** Time of the last delivery by endpoint; null if there was none. */
  readonly lastDeliveries: ReadonlyMap<string, string | null>;
  readonly onAction: (action: EndpointAction, endpoint: WebhookEndpoint) => void;
}

/** The endpoints with their health, and the action that each needs most. */
export function Endpoints({ endpoints, selected, query, lastDeliveries, onAction }: Props) {
  const t = useText(webhooks);
  return (
    <section class="card" aria-labelledby="endpoints">
      <div class="card-head">
        <h2 id="endpoints">{t('endpoints')}</h2>
        <span class="faint push num">{t('endpointCount', { count: endpoints.length })}</span>
      </div>
      <TableRegion label={t('endpointsTable')}>
        <thead>
          <tr>
            <th scope="col">{t('address')}</th>
            <th scope="col">{t('health')}</th>
            <th scope="col">{t('events')}</th>
            <th scope="col">{t('lastDelivery')}</th>
            <th scope="col">
              <span class="visually-hidden">{t('actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {endpoints.map((endpoint) => (
            <tr key={endpoint.id} data-selected={endpoint.id === selected || undefined}>
              <td class="address-cell">
                <a
                  class="strong row-link"
                  href={hrefWith(query, { endpoint: endpoint.id, delivery: undefined })}
                  aria-current={endpoint.id === selected || undefined}
                >
                  {endpoint.url}
                </a>
                {endpoint.description ? <div class="faint">{endpoint.description}</div> : null}
              </td>
              <td>
                <HealthBadge endpoint={endpoint} />
              </td>
              <td class="muted">
                <EventsText events={endpoint.events} isShort />
              </td>
              <td class="num muted">
                <LastDelivery at={lastDeliveries.get(endpoint.id)} />
              </td>
              <td class="end">
                <MainAction endpoint={endpoint} onAction={onAction} />
              </td>
            </tr>
          ))}
        </tbody>
      </TableRegion>
    </section>
  );
}

/** The health of an endpoint as shape, word and color. */
export function HealthBadge({ endpoint }: { endpoint: WebhookEndpoint }) {
  const t = useText(webhooks);
  const { language } = useSettings().settings;
  const { status, icon, text } = healthOf(endpoint);
  const since = endpoint.health.failing_since;
  return (
    <Badge status={status} icon={icon}>
      {t(text, since ? { time: formatShortTime(since, Date.now(), language) } : {})}
    </Badge>
  );
}

/** Names the events of an endpoint. `*` and `image.*` are words. A short name has no `image.`. */
export function EventsText({ events, isShort = false }: { events: readonly string[]; isShort?: boolean }) {
  const t = useText(webhooks);
  if (events.includes('*')) return <>{t('allEvents')}</>;
  const names = events.map((event) =>
    event === 'image.*' ? t('allJobEvents') : isShort ? event.replace(/^image\./, '') : event,
  );
  return <>{names.join(', ')}</>;
}

function LastDelivery({ at }: { at: string | null | undefined }) {
  const t = useText(webhooks);
  const { language } = useSettings().settings;
  if (at === undefined) return <span class="faint">–</span>;
  if (at === null) return <span class="faint">{t('none')}</span>;
  return (
    <time dateTime={at} title={`${formatTime(at, language, { utc: true, seconds: true })} UTC`}>
      {formatRelative(at, Date.now(), language)}
    </time>
  );
}

/** The action of a row: enable a disabled endpoint, recover a failing one, test a healthy one. */
function MainAction({ endpoint, onAction }: { endpoint: WebhookEndpoint; onAction: Props['onAction'] }) {
  const t = useText(webhooks);
  const { status } = healthOf(endpoint);
  const act = (action: EndpointAction) => () => onAction(action, endpoint);
  if (status === 'disabled') {
    return (
      <Button size="sm" onClick={act('enable')}>
        {t('enable')}
      </Button>
    );
  }
  return status === 'failing' ? (
    <Button size="sm" icon="retry" onClick={act('recover')}>
      {t('recover')}
    </Button>
  ) : (
    <Button size="sm" icon="send" onClick={act('test')}>
      {t('test')}
    </Button>
  );
}
