import type { ImageJob } from '../../api/types.ts';
import { Button } from '../../components/button.tsx';
import { useCan } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { gallery } from '../../strings/gallery.ts';
import { downloadImages } from '../job/download.ts';

/** Number of images that can be compared. */
export const maxCompared = 4;

interface Props {
  readonly jobs: readonly ImageJob[];
  readonly onCompare: () => void;
  readonly onErase: () => void;
  readonly onClear: () => void;
}

/** Returns whether jobs can be compared: two to four of them, each with an image. */
export const canCompare = (jobs: readonly ImageJob[]): boolean =>
  jobs.length >= 2 && jobs.length <= maxCompared && jobs.every(({ images }) => images.length > 0);

/** Actions on the marked jobs, if there are any. */
export function SelectionBar({ jobs, onCompare, onErase, onClear }: Props) {
  const t = useText(gallery);
  const can = useCan();
  if (jobs.length === 0) return null;
  const hasImages = jobs.some(({ images }) => images.length > 0);
  return (
    <div class="selection-bar" role="toolbar" aria-label={t('selection')}>
      <span class="strong num">{t('marked', { count: jobs.length })}</span>
      <Button
        size="sm"
        icon="compare"
        isDisabled={!canCompare(jobs)}
        onClick={onCompare}
        {...(canCompare(jobs) ? {} : { title: t('compare.needs', { count: maxCompared }) })}
      >
        {t('compare')}
      </Button>
      <Button size="sm" icon="download" isDisabled={!hasImages} onClick={() => downloadImages(jobs)}>
        {t('download')}
      </Button>
      {can('images:write') ? (
        <Button size="sm" kind="danger" icon="erase" onClick={onErase}>
          {t('erase')}
        </Button>
      ) : null}
      <Button kind="quiet" size="sm" icon="close" label={t('clearMarks')} onClick={onClear} />
    </div>
  );
}
