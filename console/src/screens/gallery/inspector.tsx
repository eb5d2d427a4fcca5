import type { ComponentChildren } from 'preact';
import type { ImageJob } from '../../api/types.ts';
import { JobBadge } from '../../components/badge.tsx';
import { Button, buttonClass } from '../../components/button.tsx';
import { FadingImage } from '../../components/frame.tsx';
import { Icon } from '../../components/icon.tsx';
import { Money, SimulatedNote } from '../../components/money.tsx';
import { PromptText } from '../../components/prompt-text.tsx';
import { Time } from '../../components/time.tsx';
import { formatBytes, formatDuration } from '../../format/time.ts';
import { href } from '../../lib/router.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { gallery } from '../../strings/gallery.ts';
import { ImageActions } from '../job/image-actions.tsx';
import { Metadata } from '../job/metadata.tsx';
import { presetName, requestText } from '../job/request-text.ts';

/** The facts of the selected job. */
export function Inspector({ job, onClose }: { job: ImageJob | null; onClose: () => void }) {
  const t = useText(gallery);
  const c = useText(common);
  return (
    <aside class="inspector stack sheet" data-sheet={job ? 'open' : 'closed'} aria-label={t('inspector')}>
      {job ? (
        <>
          <div class="row">
            <JobBadge job={job} />
            <a class="tag truncate" href={href(`/jobs/${job.id}`)}>
              {job.id}
            </a>
            <Button
              kind="quiet"
              size="sm"
              icon="close"
              className="push"
              label={c('close')}
              onClick={onClose}
            />
          </div>
          <Preview job={job} />
          <PromptText text={job.prompt.original} />
          <ImageActions job={job} />
          <Facts job={job} />
          <a class={buttonClass({ className: 'button-block' })} href={href(`/jobs/${job.id}`)}>
            {t('openJob')}
            <Icon name="chevron" />
          </a>
        </>
      ) : (
        <p class="faint">{t('nothingSelected')}</p>
      )}
    </aside>
  );
}

function Preview({ job }: { job: ImageJob }) {
  const image = job.images[0];
  if (!image) return job.error ? <p class="muted">{job.error.message}</p> : null;
  return (
    <a
      class={
        job.request.background === 'transparent'
          ? 'frame frame-alpha inspector-image'
          : 'frame inspector-image'
      }
      href={href(`/jobs/${job.id}`)}
      style={{ aspectRatio: `${image.width} / ${image.height}` }}
    >
      <FadingImage
        src={image.thumbnail_url ?? image.url}
        alt={job.prompt.original}
        thumbhash={image.thumbhash}
        isEager
      />
    </a>
  );
}

function Facts({ job }: { job: ImageJob }) {
  const t = useText(gallery);
  const { language } = useSettings().settings;
  const image = job.images[0];
  const preset = presetName(job);
  const open = job.attempts.filter(
    ({ state, cost_micro_usd }) => state !== 'rejected' && cost_micro_usd === null,
  );
  const type = image?.content_type.replace('image/', '').replace('svg+xml', 'svg').toUpperCase();
  const facts: readonly (readonly [string, ComponentChildren])[] = [
    [t('fact.cost'), <Cost key="cost" job={job} />],
    [t('fact.possible'), open.length > 0 ? <OpenCharge key="open" count={open.length} /> : null],
    [t('fact.model'), job.request.model],
    [t('fact.request'), requestText(job)],
    [t('fact.preset'), preset],
    [t('fact.file'), image ? `${type}, ${formatBytes(image.size_bytes, language)}` : null],
    [t('fact.duration'), job.finished_at ? <Duration key="duration" job={job} /> : null],
    [t('fact.created'), <Time key="created" at={job.created_at} seconds />],
    [t('fact.metadata'), Object.keys(job.metadata).length > 0 ? <Metadata key="metadata" job={job} /> : null],
  ];
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== null && value !== undefined)
        .flatMap(([name, value]) => [<dt key={name}>{name}</dt>, <dd key={`${name} value`}>{value}</dd>])}
    </dl>
  );
}

function Cost({ job }: { job: ImageJob }) {
  const isSimulated = job.livemode === false;
  return (
    <span class="row row-wrap">
      <span class="strong">
        <Money microUsd={job.cost.micro_usd} isSimulated={isSimulated} />
      </span>
      {isSimulated ? <SimulatedNote /> : null}
    </span>
  );
}

function OpenCharge({ count }: { count: number }) {
  const t = useText(gallery);
  return (
    <>
      <Money microUsd={null} /> <span class="faint">{t('notSettled', { count })}</span>
    </>
  );
}

function Duration({ job }: { job: ImageJob }) {
  const t = useText(gallery);
  const { language } = useSettings().settings;
  const since = (time: string | null) =>
    time === null ? null : formatDuration(Date.parse(time) - Date.parse(job.created_at), language);
  const duration = since(job.finished_at) ?? '';
  const queue = since(job.started_at);
  return <>{queue === null ? duration : t('durationWithQueue', { duration, queue })}</>;
}
