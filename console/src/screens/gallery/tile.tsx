import { useEffect } from 'preact/hooks';
import type { ImageJob } from '../../api/types.ts';
import { JobBadge, OfflineBadge } from '../../components/badge.tsx';
import { FadingImage, FrameLabel } from '../../components/frame.tsx';
import { Icon } from '../../components/icon.tsx';
import { Money } from '../../components/money.tsx';
import { href } from '../../lib/router.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { gallery } from '../../strings/gallery.ts';

interface Props {
  readonly job: ImageJob;
  readonly width: number;
  readonly preview: string | undefined;
  readonly isSelected: boolean;
  readonly isMarked: boolean;
  readonly onSelect: (id: string) => void;
  readonly onMark: (id: string) => void;
  /** Called if the links of the job have expired. */
  readonly onStale: (id: string) => void;
}

/** A job in the gallery: its first image or its status, its prompt, its time and its cost. */
export function Tile({ job, width, preview, isSelected, isMarked, onSelect, onMark, onStale }: Props) {
  const t = useText(gallery);
  const image = job.images[0];
  const isStale = image !== undefined && Date.parse(image.url_expires_at) < Date.now();
  useEffect(() => {
    if (isStale) onStale(job.id);
  }, [isStale, job.id]);
  return (
    <li class="tile tile-fixed" data-selected={isSelected} style={{ width: `${width}px` }}>
      <input
        class="tile-check"
        type="checkbox"
        checked={isMarked}
        aria-label={t('mark', { prompt: job.prompt.original })}
        onChange={() => onMark(job.id)}
      />
      <a
        class="tile-link stack stack-sm"
        id={`tile-${job.id}`}
        href={href(`/jobs/${job.id}`)}
        aria-current={isSelected || undefined}
        onClick={(event) => {
          if (isSelected || event.metaKey || event.ctrlKey || event.shiftKey) return;
          event.preventDefault();
          onSelect(job.id);
        }}
      >
        <Frame job={job} preview={preview} isStale={isStale} />
        <Caption job={job} />
      </a>
    </li>
  );
}

function Frame({ job, preview, isStale }: { job: ImageJob; preview: string | undefined; isStale: boolean }) {
  const image = job.images[0];
  const isAlpha = job.request.background === 'transparent';
  if (!image && !preview) {
    return (
      <span class="frame tile-empty">
        <JobBadge job={job} />
        {job.error ? <code>{job.error.code}</code> : null}
        {job.livemode === false ? <OfflineBadge /> : null}
      </span>
    );
  }
  const src = image ? (isStale ? undefined : (image.thumbnail_url ?? image.url)) : preview;
  return (
    <span class={isAlpha ? 'frame frame-alpha' : 'frame'} data-preview={image ? undefined : 'true'}>
      <FadingImage src={src} alt={job.prompt.original} thumbhash={image?.thumbhash} />
      <Label job={job} />
    </span>
  );
}

/** Facts that the image does not show: the number of images, the progress, an unknown cost. */
function Label({ job }: { job: ImageJob }) {
  const t = useText(gallery);
  const total = job.request.n ?? 1;
  const done = job.images.length;
  if (job.finished_at === null) {
    return (
      <FrameLabel>
        <Icon name="ring" />
        {total > 1 ? t('progressOf', { done, total }) : t('progress')}
      </FrameLabel>
    );
  }
  if (job.partial) {
    return (
      <FrameLabel>
        <Icon name="half" />
        {t('partialOf', { done, total })}
      </FrameLabel>
    );
  }
  if (job.cost.micro_usd === null) {
    return (
      <FrameLabel>
        <Icon name="warning" />
        {t('costUnknown')}
      </FrameLabel>
    );
  }
  if (job.livemode === false) {
    return (
      <FrameLabel>
        <Icon name="offline" />
        {done > 1 ? t('offlineCount', { count: done }) : t('offline')}
      </FrameLabel>
    );
  }
  return done > 1 ? <FrameLabel>{done}</FrameLabel> : null;
}

function Caption({ job }: { job: ImageJob }) {
  const { language } = useSettings().settings;
  const time = new Intl.DateTimeFormat(language, { timeStyle: 'short' }).format(new Date(job.created_at));
  return (
    <span class="stack stack-tight">
      <span class="truncate tile-title" dir="auto" title={job.prompt.original}>
        {job.prompt.original}
      </span>
      <span class="row row-between faint">
        <span class="num">{time}</span>
        <TileCost job={job} />
      </span>
    </span>
  );
}

function TileCost({ job }: { job: ImageJob }) {
  const t = useText(gallery);
  const isSimulated = job.livemode === false;
  if (job.finished_at === null) {
    if (job.cost.micro_usd === null) return null;
    return (
      <span class="num">
        {t.rich('atMost', { amount: <Money microUsd={job.cost.micro_usd} isSimulated={isSimulated} /> })}
      </span>
    );
  }
  if (job.cost.billing === 'none') return <span class="num">{t('notCharged')}</span>;
  return (
    <span class="num">
      <Money microUsd={job.cost.micro_usd} isSimulated={isSimulated} />
    </span>
  );
}
