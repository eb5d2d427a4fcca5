import { useState } from 'preact/hooks';
import type { ImageJob } from '../../api/types.ts';
import { CopyButton } from '../../components/copy-button.tsx';
import { FadingImage } from '../../components/frame.tsx';
import { Icon } from '../../components/icon.tsx';
import { PromptText } from '../../components/prompt-text.tsx';
import { formatBytes } from '../../format/time.ts';
import { href } from '../../lib/router.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { job as table } from '../../strings/job.ts';

/** All images of a job with several. */
export function ImagesCard({ job }: { job: ImageJob }) {
  const t = useText(table);
  if (job.images.length < 2) return null;
  return (
    <section class="card" aria-labelledby="images">
      <div class="card-head">
        <h2 id="images">{t('images')}</h2>
        <span class="faint push num">{job.images.length}</span>
      </div>
      <ul class="job-images">
        {job.images.map((image) => (
          <li key={image.index}>
            <a class="frame" href={image.url} target="_blank" rel="noreferrer">
              <FadingImage
                src={image.thumbnail_url ?? image.url}
                alt={t('imageOf', { image: image.index + 1 })}
                thumbhash={image.thumbhash}
              />
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The other versions of the prompt. */
export function PromptCard({ job }: { job: ImageJob }) {
  const t = useText(table);
  const { enhanced, revised } = job.prompt;
  if (!enhanced && !revised) return null;
  return (
    <section class="card" aria-labelledby="prompt">
      <div class="card-head">
        <h2 id="prompt">{t('prompt')}</h2>
      </div>
      <dl class="card-body facts">
        {enhanced ? (
          <>
            <dt>{t('prompt.enhanced')}</dt>
            <dd>
              <PromptText text={enhanced} />
            </dd>
          </>
        ) : null}
        {revised ? (
          <>
            <dt>{t('prompt.revised')}</dt>
            <dd>
              <PromptText text={revised} />
            </dd>
          </>
        ) : null}
      </dl>
    </section>
  );
}

/** The inputs of an edit. */
export function InputsCard({ job }: { job: ImageJob }) {
  const t = useText(table);
  const { language } = useSettings().settings;
  if (job.inputs.length === 0) return null;
  return (
    <section class="card" aria-labelledby="inputs">
      <div class="card-head">
        <h2 id="inputs">{t('inputs')}</h2>
        <span class="faint push num">{job.inputs.length}</span>
      </div>
      <ul class="list-plain stack stack-sm inputs">
        {job.inputs.map((input, i) => (
          <li key={i} class="row row-wrap">
            <span class="tag">{input.role}</span>
            <span class="num">
              {input.width && input.height ? `${input.width} × ${input.height}` : t('inputs.notFetched')}
            </span>
            <span class="faint">
              {[
                input.content_type,
                input.size_bytes === null ? null : formatBytes(input.size_bytes, language),
              ]
                .filter(Boolean)
                .join(', ')}
            </span>
            <Source source={input.source} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Source({ source }: { source: ImageJob['inputs'][number]['source'] }) {
  if (source.image_id !== undefined) {
    return (
      <a class="tag truncate push" href={href(`/jobs/${source.image_id}`)}>
        {source.image_id}
      </a>
    );
  }
  return <span class="faint truncate push mono">{source.url ?? source.upload_id ?? source.type}</span>;
}

/** The job as the API returns it. */
export function RawCard({ job }: { job: ImageJob }) {
  const t = useText(table);
  const [isOpen, setOpen] = useState(false);
  const text = () => JSON.stringify(job, null, 2);
  return (
    <details class="card disclosure-card" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="card-head">
        <Icon name={isOpen ? 'chevron-down' : 'chevron'} />
        <span class="strong">{t('raw')}</span>
        <span class="faint push truncate">GET /images/{job.id}</span>
      </summary>
      {isOpen ? (
        <>
          <pre class="code" tabIndex={0}>
            {text()}
          </pre>
          <div class="card-foot">
            <CopyButton text={text}>{t('raw.copy')}</CopyButton>
          </div>
        </>
      ) : null}
    </details>
  );
}
