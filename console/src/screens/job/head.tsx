import type { ImageJob } from '../../api/types.ts';
import { JobBadge } from '../../components/badge.tsx';
import { FadingImage } from '../../components/frame.tsx';
import { Money, SimulatedNote } from '../../components/money.tsx';
import { PromptText } from '../../components/prompt-text.tsx';
import { Time } from '../../components/time.tsx';
import { formatDuration } from '../../format/time.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { job as table } from '../../strings/job.ts';
import { Metadata } from './metadata.tsx';
import { presetName, requestText } from './request-text.ts';

/** A job in a few lines: status, image, prompt, cost. */
export function JobHead({ job }: { job: ImageJob }) {
  const image = job.images[0];
  return (
    <div class={image ? 'job-head' : undefined}>
      {image ? (
        <a
          class={job.request.background === 'transparent' ? 'frame frame-alpha job-image' : 'frame job-image'}
          href={image.url}
          target="_blank"
          rel="noreferrer"
        >
          <FadingImage
            src={image.thumbnail_url ?? image.url}
            alt={job.prompt.original}
            thumbhash={image.thumbhash}
            isEager
          />
        </a>
      ) : null}
      <div class="stack stack-sm">
        <StatusLine job={job} />
        <PromptText text={job.prompt.original} className="lead" />
        <Facts job={job} />
      </div>
    </div>
  );
}

function StatusLine({ job }: { job: ImageJob }) {
  const t = useText(table);
  const { language } = useSettings().settings;
  const { created_at, finished_at, provider, livemode } = job;
  const duration = finished_at
    ? formatDuration(Date.parse(finished_at) - Date.parse(created_at), language)
    : null;
  return (
    <div class="row row-wrap">
      <JobBadge job={job} />
      <span class="muted">
        {[
          duration,
          <Time key="time" at={finished_at ?? created_at} seconds />,
          provider ? t(livemode === false ? 'providerOffline' : 'providerLive', { provider }) : null,
          job.status === 'running' && job.stage ? t(`stage.${job.stage}`) : null,
          job.status === 'queued' && job.queue.position !== null
            ? t('position', { count: job.queue.position })
            : null,
        ]
          .filter((part) => part !== null)
          .flatMap((part, i) => (i === 0 ? [part] : [' · ', part]))}
      </span>
    </div>
  );
}

function Facts({ job }: { job: ImageJob }) {
  const t = useText(table);
  const c = useText(common);
  const isSimulated = job.livemode === false;
  const preset = presetName(job);
  const { cost } = job;
  return (
    <dl class="facts facts-row">
      <div>
        <dt>{cost.estimated ? c('money.atMost') : t('fact.cost')}</dt>
        <dd class="strong row row-wrap">
          <Money microUsd={cost.micro_usd} isSimulated={isSimulated} />
          {isSimulated ? (
            <SimulatedNote />
          ) : cost.estimated ? null : (
            <span class="faint">{c(`billing.${cost.billing}`)}</span>
          )}
        </dd>
      </div>
      <div>
        <dt>{t('fact.model')}</dt>
        <dd>{job.request.model}</dd>
      </div>
      <div>
        <dt>{t('fact.request')}</dt>
        <dd>{requestText(job)}</dd>
      </div>
      {preset ? (
        <div>
          <dt>{t('fact.preset')}</dt>
          <dd>{preset}</dd>
        </div>
      ) : null}
      {Object.keys(job.metadata).length > 0 ? (
        <div>
          <dt>{t('fact.metadata')}</dt>
          <dd>
            <Metadata job={job} />
          </dd>
        </div>
      ) : null}
    </dl>
  );
}
