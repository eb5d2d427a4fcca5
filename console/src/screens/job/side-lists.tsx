import type { ImageEvent, ImageJob, Page, WebhookDelivery } from '../../api/types.ts';
import { useLive } from '../../api/use-live.ts';
import { Badge } from '../../components/badge.tsx';
import type { IconName } from '../../components/icon.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { SkeletonLines } from '../../components/state.tsx';
import { formatDuration, formatLatency } from '../../format/time.ts';
import { useCan, useSession } from '../../lib/context.ts';
import { href } from '../../lib/router.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { job as table } from '../../strings/job.ts';

const deliveryIcons: Readonly<Record<string, IconName>> = {
  delivered: 'success',
  pending: 'queued',
  retrying: 'retry',
  failed: 'failed',
};

/** The webhook deliveries of a job. Keys without the scope see nothing of them. */
export function Deliveries({ job }: { job: ImageJob }) {
  const t = useText(table);
  const can = useCan();
  const { api } = useSession();
  const mayRead = can('webhooks');
  const deliveries = useLive(
    (signal) =>
      api.call<Page<WebhookDelivery>>('/webhooks/deliveries', {
        query: { image_id: job.id, limit: 20 },
        signal,
      }),
    [job.id, job.status],
    { isEnabled: mayRead },
  );
  if (!mayRead) return null;
  const list = deliveries.data?.data;
  return (
    <section class="stack stack-sm">
      <div class="row row-between">
        <h2>{t('deliveries')}</h2>
        <a class="faint" href={href('/webhooks', { job: job.id })}>
          {t('deliveries.all')}
        </a>
      </div>
      {deliveries.error ? <ProblemNote error={deliveries.error} onRetry={deliveries.refresh} /> : null}
      {!list && !deliveries.error ? <SkeletonLines /> : null}
      {list?.length === 0 ? <p class="faint">{t('deliveries.none')}</p> : null}
      {list && list.length > 0 ? (
        <ul class="list-plain stack stack-sm">
          {list.map((delivery) => (
            <DeliveryRow key={delivery.id} delivery={delivery} />
          ))}
        </ul>
      ) : null}
    </section>
  );
}

function DeliveryRow({ delivery }: { delivery: WebhookDelivery }) {
  const t = useText(table);
  const { language } = useSettings().settings;
  const { attempts, next_attempt_at } = delivery;
  const status = delivery.status === 'pending' && attempts.length > 0 ? 'retrying' : delivery.status;
  const icon = deliveryIcons[status];
  const known = (['delivered', 'pending', 'retrying', 'failed'] as const).find((each) => each === status);
  const latency = attempts.at(-1)?.latency_ms;
  const waitMs = next_attempt_at ? Date.parse(next_attempt_at) - Date.now() : 0;
  return (
    <li class="row">
      <Badge status={status} {...(icon ? { icon } : {})}>
        {known ? t(`delivery.${known}`) : status}
      </Badge>
      <a
        class="truncate grow"
        href={href('/webhooks', { job: delivery.image_id ?? undefined, delivery: delivery.id })}
      >
        {delivery.type}
      </a>
      <span class="faint num">
        {waitMs > 0
          ? t('delivery.in', { duration: formatDuration(waitMs, language) })
          : latency === undefined
            ? null
            : formatLatency(latency, language)}
      </span>
    </li>
  );
}

/** The events of a job, newest first. */
export function EventList({ events }: { events: readonly ImageEvent[] }) {
  const t = useText(table);
  const { language } = useSettings().settings;
  const clock = new Intl.DateTimeFormat(language, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 1,
    hour12: false,
  });
  return (
    <section class="stack stack-sm">
      <h2>{t('events')}</h2>
      {events.length === 0 ? <SkeletonLines /> : null}
      <ol class="list-plain events">
        {[...events].reverse().map((event, i) => (
          <li key={events.length - i} class="row">
            <time class="faint num mono" dateTime={event.at} title={event.at}>
              {clock.format(new Date(event.at))}
            </time>
            <span class="truncate">{eventText(t, event)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Returns the words for an event. Changes of the status have the names of the API. */
function eventText(t: ReturnType<typeof useText<keyof typeof table.en>>, event: ImageEvent): string {
  const { image, partial_image, stage } = event;
  if (image) return t('event.stored', { image: image.index + 1 });
  if (partial_image) return t('event.preview', { image: partial_image.index + 1 });
  if (event.type === 'image.progress' && stage) return t('event.stage', { stage });
  return event.type;
}
