import { useState } from 'preact/hooks';
import type { ImageJob } from '../../api/types.ts';
import { Button, buttonClass } from '../../components/button.tsx';
import { Icon } from '../../components/icon.tsx';
import { useCan } from '../../lib/context.ts';
import { href } from '../../lib/router.ts';
import { useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { job as table } from '../../strings/job.ts';
import { fileNameOf } from './file-name.ts';
import { VaryDialog } from './spend-dialog.tsx';

/** Actions on a job and its first image: download, edit, vary, use the request again. */
export function ImageActions({ job, isCompact = false }: { job: ImageJob; isCompact?: boolean }) {
  const t = useText(table);
  const c = useText(common);
  const can = useCan();
  const [isVarying, setVarying] = useState(false);
  const image = job.images[0];
  const mayWrite = can('images:write');
  const className = isCompact ? 'wide-only' : 'button-grow';
  return (
    <div class={isCompact ? 'contents' : 'row row-wrap'}>
      {image ? (
        <a
          class={buttonClass({ size: 'sm', className })}
          href={image.url}
          download={fileNameOf(job, image)}
          target="_blank"
          rel="noreferrer"
        >
          <Icon name="download" />
          {t('download')}
        </a>
      ) : null}
      {image && mayWrite ? (
        <>
          <a
            class={buttonClass({ size: 'sm', className })}
            href={href('/playground', { edit: job.id, index: String(image.index) })}
          >
            <Icon name="edit" />
            {t('edit')}
          </a>
          <Button size="sm" icon="vary" className={className} onClick={() => setVarying(true)}>
            {t('vary')}
          </Button>
        </>
      ) : null}
      {mayWrite && job.request.n !== 0 ? (
        <a class={buttonClass({ size: 'sm', className })} href={href('/playground', { from: job.id })}>
          <Icon name="playground" />
          {c('useAgain')}
        </a>
      ) : null}
      {isVarying && image ? (
        <VaryDialog job={job} index={image.index} onClose={() => setVarying(false)} />
      ) : null}
    </div>
  );
}
