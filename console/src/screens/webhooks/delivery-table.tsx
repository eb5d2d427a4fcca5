import type { WebhookDelivery } from '../../api/types.ts';
import { Badge } from '../../components/badge.tsx';
import { TableRegion } from '../../components/table.tsx';
import { ShortTime } from '../../components/time.tsx';
import { formatLatency } from '../../format/time.ts';
import { href } from '../../lib/router.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { webhooks } from '../../strings/webhooks.ts';
import { hrefWith } from './links.ts';
import { resultOf, stateOf } from './view.ts';

interface Props {
  readonly deliveries: readonly WebhookDelivery[];
  readonly query: URLSearchParams;
}

/** A table of deliveries with the result of their last attempts. */
export function DeliveryTable({ deliveries, query }: Props) {
  const t = useText(webhooks);
  return (
    <TableRegion label={t('deliveriesTable')}>
      <thead>
        <tr>
          <th scope="col">{t('status')}</th>
          <th scope="col">{t('event')}</th>
          <th scope="col">{t('job')}</th>
          <th scope="col">{t('response')}</th>
          <th scope="col" class="end">
            {t('latency')}
          </th>
          <th scope="col" class="end">
            {t('attempts')}
          </th>
          <th scope="col" class="end">
            {t('lastAttempt')}
          </th>
        </tr>
      </thead>
      <tbody>
        {deliveries.map((delivery) => (
          <Row key={delivery.id} delivery={delivery} query={query} />
        ))}
      </tbody>
    </TableRegion>
  );
}

function Row({ delivery, query }: { delivery: WebhookDelivery; query: URLSearchParams }) {
  const { language } = useSettings().settings;
  const { id, image_id, attempt_count, attempts, type } = delivery;
  const last = attempts.at(-1);
  const isSelected = query.get('delivery') === id;
  return (
    <tr data-selected={isSelected || undefined}>
      <td>
        <DeliveryBadge delivery={delivery} />
      </td>
      <td>
        <a class="row-link" href={hrefWith(query, { delivery: id })} aria-current={isSelected || undefined}>
          {type}
        </a>
      </td>
      <td class="mono muted">
        {image_id ? (
          <a href={href(`/jobs/${image_id}`)} title={image_id}>
            …{image_id.slice(-8)}
          </a>
        ) : (
          '–'
        )}
      </td>
      <td class="num">{last ? resultOf(last) : (delivery.outcome?.replaceAll('_', ' ') ?? '–')}</td>
      <td class="end num">{last ? formatLatency(last.latency_ms, language) : '–'}</td>
      <td class="end num">{attempt_count}</td>
      <td class="end num muted">
        <ShortTime at={last?.started_at} />
      </td>
    </tr>
  );
}

/** The status of a delivery as shape, word and color. */
export function DeliveryBadge({ delivery }: { delivery: WebhookDelivery }) {
  const t = useText(webhooks);
  const state = stateOf(delivery);
  if (!state) return <Badge>{delivery.status}</Badge>;
  return (
    <Badge status={state.status} icon={state.icon}>
      {t(state.text)}
    </Badge>
  );
}
