import type { ComponentChildren } from 'preact';
import type { ImageJob } from '../api/types.ts';
import { useText } from '../lib/settings.ts';
import { common } from '../strings/common.ts';
import { Icon, type IconName } from './icon.tsx';

const icons: Readonly<Record<string, IconName>> = {
  queued: 'queued',
  running: 'ring',
  succeeded: 'success',
  partial: 'half',
  failed: 'failed',
  canceled: 'canceled',
  expired: 'expired',
};

/** A status as shape, word and color. */
export function Badge(props: { status?: string; icon?: IconName; children: ComponentChildren }) {
  return (
    <span class="badge" data-status={props.status}>
      {props.icon ? <Icon name={props.icon} /> : null}
      {props.children}
    </span>
  );
}

/** The status of a job. A status of a newer server is shown as its text. */
export function JobBadge({ job }: { job: Pick<ImageJob, 'status' | 'partial' | 'images' | 'request'> }) {
  const t = useText(common);
  if (job.status === 'succeeded' && job.partial) {
    return (
      <Badge status="partial" icon="half">
        {t('partialOf', { done: job.images.length, total: job.request.n ?? 1 })}
      </Badge>
    );
  }
  return <StatusBadge status={job.status} />;
}

/** A status by its name in the API. */
export function StatusBadge({ status }: { status: string }) {
  const t = useText(common);
  const icon = icons[status];
  if (!icon) return <Badge>{status}</Badge>;
  return (
    <Badge status={status} icon={icon}>
      {t(`status.${status}` as 'status.queued')}
    </Badge>
  );
}

/** Marks pages and images of the offline provider. */
export function OfflineBadge({ isLong = false }: { isLong?: boolean }) {
  const t = useText(common);
  return (
    <span class="badge badge-offline" title={t('offline.long')}>
      <Icon name="offline" />
      {isLong ? <span class="truncate wide-only">{t('offline.long')}</span> : null}
      <span class={isLong ? 'narrow-only' : undefined}>{t('offline.short')}</span>
    </span>
  );
}
