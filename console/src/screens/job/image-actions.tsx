import { useState } from 'preact/hooks';
import type { ImageJob } from '../../api/types.ts';
import { Button, buttonClass } from '../../components/button.tsx';
import { Icon } from '../../components/icon.tsx';
import { useCan } from '../../lib/context.ts';
import { href } from '../../lib/router.ts';
import { useText } from '../../lib/settings.ts';
import { job as table } from '../../strings/job.ts';
import { fileNameOf } from './file-name.ts';
import { VaryDialog } from './spend-dialog.tsx';

/** Actions on the first image of a job: download, edit, vary. */
export function ImageActions({ job, isCompact = false }: { job: ImageJob; isCompact?: boolean }) {
  const t = useText(table);
  const can = useCan();
  const [isVarying, setVarying] = useState(false);
  const image = job.images[0];
  if (!image) return null;
  const className = isCompact ? 'wide-only' : 'grow';
  return (
    <div class={isCompact ? 'contents' : 'row'}>
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
      {can('images:write') ? (
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
      {isVarying ? <VaryDialog job={job} onClose={() => setVarying(false)} /> : null}
    </div>
  );
}
