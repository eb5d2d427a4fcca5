import type { ImageJob } from '../../api/types.ts';
import { buttonClass } from '../../components/button.tsx';
import { FadingImage } from '../../components/frame.tsx';
import { Icon } from '../../components/icon.tsx';
import { useCan } from '../../lib/context.ts';
import { href } from '../../lib/router.ts';
import { useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { texts } from './texts.ts';

/** The latest images of the tenant. */
export function Recent({ jobs }: { jobs: readonly ImageJob[] | undefined }) {
  const t = useText(texts);
  const c = useText(common);
  const mayWrite = useCan()('images:write');
  const shown = (jobs ?? []).flatMap((job) => {
    const [image] = job.images;
    return image ? [{ job, image }] : [];
  });
  if (shown.length === 0) return null;
  return (
    <section class="stack stack-sm" aria-labelledby="recent-title">
      <div class="row row-between">
        <h2 id="recent-title">{t('recent')}</h2>
        <a class="faint" href={href('/gallery')}>
          {t('recent.all')}
        </a>
      </div>
      <div class="strip">
        {shown.map(({ job, image }) => (
          <div key={job.id} class="recent">
            <a class="frame frame-cover square" href={href('/playground', { job: job.id })}>
              <FadingImage
                src={image.thumbnail_url ?? image.url}
                alt={job.prompt.original.slice(0, 120)}
                thumbhash={image.thumbhash}
              />
            </a>
            {mayWrite ? (
              <a
                class={buttonClass({ size: 'sm', isIcon: true })}
                href={href('/playground', { from: job.id })}
                aria-label={t('recent.useAgain', { prompt: job.prompt.original.slice(0, 120) })}
                title={c('useAgain')}
              >
                <Icon name="playground" />
              </a>
            ) : null}
          </div>
        ))}
      </div>
    </section>
  );
}
