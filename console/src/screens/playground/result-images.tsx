import { useRef, useState } from 'preact/hooks';
import type { Image, ImageJob } from '../../api/types.ts';
import { Button, buttonClass } from '../../components/button.tsx';
import { FadingImage, FrameLabel } from '../../components/frame.tsx';
import { Icon } from '../../components/icon.tsx';
import { useCan } from '../../lib/context.ts';
import { href } from '../../lib/router.ts';
import { useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { fileNameOf } from '../job/file-name.ts';
import { VaryDialog } from '../job/spend-dialog.tsx';
import type { Slot } from './progress.ts';
import { ResultFacts } from './result-facts.tsx';
import { texts } from './texts.ts';

interface Props {
  readonly job: ImageJob;
  readonly slots: readonly Slot[];
  readonly onEdit: (image: Image, jobId: string) => void;
  readonly onFollow: (job: ImageJob) => void;
}

/** The chosen image in full, the picker of the others, and the facts and actions of the chosen one. */
export function ResultImages({ job, slots, onEdit, onFollow }: Props) {
  const [chosen, setChosen] = useState<number>();
  const fallback = slots.find(({ kind }) => kind === 'image') ?? slots.find(({ kind }) => kind === 'preview');
  const slot = slots.find(({ index }) => index === chosen) ?? fallback ?? slots[0];
  if (!slot) return null;
  return (
    <div class="result">
      <MainFrame job={job} slot={slot} total={slots.length} />
      <div class="stack">
        {slots.length > 1 ? (
          <Picker job={job} slots={slots} chosen={slot.index} onChoose={setChosen} />
        ) : null}
        <ResultFacts job={job} slot={slot} />
        {slot.kind === 'image' ? (
          <Actions job={job} image={slot.image} onEdit={onEdit} onFollow={onFollow} />
        ) : null}
      </div>
    </div>
  );
}

function MainFrame({ job, slot, total }: { job: ImageJob; slot: Slot; total: number }) {
  const t = useText(texts);
  const alt = job.prompt.original;
  const label = t('ofTotal', { index: slot.index + 1, total });
  const [width = 1, height = 1] = /^\d+x\d+$/.test(job.request.size ?? '')
    ? (job.request.size ?? '').split('x').map(Number)
    : [1, 1];
  const ratio = {
    aspectRatio:
      slot.kind === 'image' ? `${slot.image.width} / ${slot.image.height}` : `${width} / ${height}`,
  };
  if (slot.kind === 'image') {
    const isAlpha = job.request.background === 'transparent';
    return (
      <a class={isAlpha ? 'frame frame-alpha' : 'frame'} style={ratio} href={href(`/jobs/${job.id}`)}>
        <FadingImage src={slot.image.url} alt={alt} thumbhash={slot.image.thumbhash} isEager />
        {total > 1 || job.livemode === false ? (
          <FrameLabel>
            <Icon name={job.livemode === false ? 'offline' : 'check'} />
            {job.livemode === false ? <OfflineText /> : null}
            {job.livemode === false && total > 1 ? ' · ' : null}
            {total > 1 ? label : null}
          </FrameLabel>
        ) : null}
      </a>
    );
  }
  return (
    <div class="frame" style={ratio} data-preview={slot.kind === 'preview'}>
      {slot.kind === 'preview' ? (
        <FadingImage src={slot.preview.url} alt={alt} isEager />
      ) : slot.kind === 'waiting' ? (
        <div class="skeleton fill" />
      ) : null}
      <SlotLabel job={job} slot={slot} />
    </div>
  );
}

function OfflineText() {
  const t = useText(common);
  return <>{t('offline.short')}</>;
}

function SlotLabel({ job, slot }: { job: ImageJob; slot: Slot }) {
  const t = useText(texts);
  if (slot.kind === 'image') return null;
  const text = slotText(job, slot, t);
  return (
    <FrameLabel>
      <Icon name={slot.kind === 'missing' ? 'failed' : 'ring'} />
      {text}
    </FrameLabel>
  );
}

function slotText(job: ImageJob, slot: Slot, t: ReturnType<typeof useText<keyof typeof texts.en>>): string {
  if (slot.kind === 'image') return t('slot.image');
  if (slot.kind === 'missing') return t('slot.missing');
  if (slot.kind === 'preview') {
    const index = slot.preview.partial_image_index + 1;
    return t('slot.preview', { index, total: Math.max(index, job.request.partial_images ?? 0) });
  }
  return job.status === 'queued' ? t('waiting') : t('step.generating');
}

interface PickerProps {
  readonly job: ImageJob;
  readonly slots: readonly Slot[];
  readonly chosen: number;
  readonly onChoose: (index: number) => void;
}

/** The images of a job. Arrow keys move. */
function Picker({ job, slots, chosen, onChoose }: PickerProps) {
  const t = useText(texts);
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = (chosen + step + slots.length) % slots.length;
    onChoose(next);
    list.current?.querySelectorAll<HTMLElement>('button')[next]?.focus();
  };
  return (
    <div class="picker" role="group" aria-label={t('picker')} ref={list} onKeyDown={move}>
      {slots.map((slot) => (
        <button
          key={slot.index}
          type="button"
          class="frame square frame-cover"
          data-preview={slot.kind === 'preview' ? 'true' : undefined}
          aria-current={slot.index === chosen ? 'true' : undefined}
          aria-label={t('picker.item', { count: slot.index + 1, state: slotText(job, slot, t) })}
          onClick={() => onChoose(slot.index)}
        >
          {slot.kind === 'image' ? (
            <FadingImage
              src={slot.image.thumbnail_url ?? slot.image.url}
              alt=""
              thumbhash={slot.image.thumbhash}
            />
          ) : null}
          {slot.kind === 'preview' ? <FadingImage src={slot.preview.url} alt="" /> : null}
          {slot.kind === 'waiting' ? <div class="skeleton fill" /> : null}
          <SlotLabel job={job} slot={slot} />
        </button>
      ))}
    </div>
  );
}

interface ActionProps {
  readonly job: ImageJob;
  readonly image: Image;
  readonly onEdit: Props['onEdit'];
  readonly onFollow: Props['onFollow'];
}

function Actions({ job, image, onEdit, onFollow }: ActionProps) {
  const t = useText(texts);
  const c = useText(common);
  const mayWrite = useCan()('images:write');
  const [isVarying, setVarying] = useState(false);
  const isElsewhere = new URL(image.url, location.href).origin !== location.origin;
  return (
    <div class="row row-wrap">
      <a
        class="button button-sm"
        href={image.url}
        download={fileNameOf(job, image)}
        {...(isElsewhere ? { target: '_blank', rel: 'noreferrer' } : {})}
      >
        <Icon name="download" />
        {t('download')}
      </a>
      {mayWrite ? (
        <>
          <Button size="sm" icon="edit" onClick={() => onEdit(image, job.id)}>
            {t('edit')}
          </Button>
          <Button size="sm" icon="vary" onClick={() => setVarying(true)}>
            {t('vary')}
          </Button>
          <a class={buttonClass({ size: 'sm' })} href={href('/playground', { from: job.id })}>
            <Icon name="playground" />
            {c('useAgain')}
          </a>
        </>
      ) : null}
      {isVarying ? (
        <VaryDialog job={job} index={image.index} onMade={onFollow} onClose={() => setVarying(false)} />
      ) : null}
    </div>
  );
}
