import { useEffect, useRef, useState } from 'preact/hooks';
import type { Upload } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { Button } from '../../components/button.tsx';
import { FieldError } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { useCan, useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import type { Form, FormInput } from './form.ts';
import type { FormProps } from './form-props.ts';
import { MaskPainter } from './mask-painter.tsx';
import { texts } from './texts.ts';

const accepted = ['image/png', 'image/jpeg', 'image/webp'];
const maxInputs = 16;

/** The input images and the mask. Dropped, pasted and chosen files become uploads. */
export function Inputs({ form, change, model, errors }: FormProps) {
  const t = useText(texts);
  const { add, remove, fault } = useUploads(form, change);
  const [isPainting, setPainting] = useState(false);
  const hasInputs = model?.edits !== null;
  const mayWrite = useCan()('images:write');
  const isOver = useGivenFiles(hasInputs && mayWrite ? add : null);
  if (!hasInputs) return null;
  const error = fault ?? errors.get('/images') ?? errors.get('/mask');
  const [first] = form.inputs;
  return (
    <div class="field">
      <span class="label" id="inputs-label">
        {t('inputs')}
        {form.inputs.length > 0 ? (
          <span class="faint num">{`${form.inputs.length} / ${maxInputs}`}</span>
        ) : null}
      </span>
      {form.inputs.length > 0 ? (
        <ul class="input-list">
          {form.inputs.map((input) => (
            <InputThumb key={input.key} input={input} onRemove={() => remove(input.key)} />
          ))}
        </ul>
      ) : null}
      <Dropzone add={add} isOver={isOver} />
      {error ? <FieldError text={error} /> : null}
      {form.mask || (first?.previewUrl && model?.edits?.mask !== false) ? (
        <MaskRow
          mask={form.mask}
          canPaint={Boolean(first?.previewUrl)}
          onOpen={() => setPainting(true)}
          onRemove={() => change({ mask: null })}
        />
      ) : null}
      {isPainting && first?.previewUrl ? (
        <MaskPainter
          image={first.previewUrl}
          onUse={(mask) => change({ mask })}
          onClose={() => setPainting(false)}
        />
      ) : null}
    </div>
  );
}

/** Accepts files that are chosen, and marks where dropped files go. */
function Dropzone({ add, isOver }: { add: (files: readonly File[]) => void; isOver: boolean }) {
  const t = useText(texts);
  const chooser = useRef<HTMLInputElement>(null);
  return (
    <div class="dropzone" role="group" aria-labelledby="inputs-label" data-over={isOver}>
      <Icon name="image" />
      <span class="grow">
        {t.rich('inputs.drop', {
          choose: (
            <button class="link" type="button" onClick={() => chooser.current?.click()}>
              {t('inputs.choose')}
            </button>
          ),
        })}
        <br />
        <span class="faint">{t('inputs.note')}</span>
      </span>
      <input
        ref={chooser}
        type="file"
        multiple
        hidden
        accept={accepted.join(',')}
        aria-label={t('inputs.choose')}
        onChange={(event) => {
          add([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = '';
        }}
      />
    </div>
  );
}

function InputThumb({ input, onRemove }: { input: FormInput; onRemove: () => void }) {
  const t = useText(texts);
  return (
    <li class="input-thumb" aria-busy={input.source === null}>
      <Thumb className="thumb thumb-lg" url={input.previewUrl} name={input.name} />
      {input.source === null ? (
        <span class="frame-label">
          <Icon name="ring" />
          {t('inputs.uploading')}
        </span>
      ) : null}
      <Button size="sm" icon="close" label={t('inputs.remove', { name: input.name })} onClick={onRemove} />
    </li>
  );
}

/** The image of an input; a sign if only the service can read it. */
function Thumb({ className, url, name }: { className: string; url: string | null; name: string }) {
  if (url !== null) return <img class={className} src={url} alt={name} title={name} />;
  return (
    <span class={`${className} thumb-unseen`} role="img" aria-label={name} title={name}>
      <Icon name="image" />
    </span>
  );
}

function MaskRow(props: {
  mask: FormInput | null;
  canPaint: boolean;
  onOpen: () => void;
  onRemove: () => void;
}) {
  const t = useText(texts);
  const { mask, canPaint, onOpen, onRemove } = props;
  return (
    <div class="row row-between">
      <Button kind="quiet" size="sm" icon="brush" isDisabled={!canPaint} onClick={onOpen}>
        {mask ? t('mask.change') : t('mask')}
      </Button>
      {mask ? (
        <span class="row">
          <Thumb className="thumb frame-alpha" url={mask.previewUrl} name={t('mask.alt')} />
          <Button kind="quiet" size="sm" icon="close" label={t('mask.remove')} onClick={onRemove} />
        </span>
      ) : (
        <span class="faint">{t('mask.note')}</span>
      )}
    </div>
  );
}

/** Returns functions that add and remove inputs. Files are shown at once, and sent with the request when uploaded. */
function useUploads(form: Form, change: FormProps['change']) {
  const t = useText(texts);
  const { api } = useSession();
  const [fault, setFault] = useState<string>();
  const remove = (key: string) =>
    change(({ inputs, mask }) => ({
      inputs: inputs.filter((input) => input.key !== key),
      // A mask belongs to the first image.
      mask: inputs[0]?.key === key ? null : mask,
    }));

  function add(files: readonly File[]): void {
    if (files.length === 0) return;
    setFault(undefined);
    const images = files.filter(({ type }) => accepted.includes(type));
    if (images.length < files.length) setFault(t('inputs.refused'));
    const free = maxInputs - form.inputs.length;
    if (images.length > free) setFault(t('inputs.tooMany', { count: images.length - free, max: maxInputs }));
    for (const file of images.slice(0, free)) void addFile(file);
  }

  async function addFile(file: File): Promise<void> {
    const previewUrl = URL.createObjectURL(file);
    const key = previewUrl;
    change(({ inputs }) => ({ inputs: [...inputs, { key, name: file.name, previewUrl, source: null }] }));
    try {
      const { id } = await api.call<Upload>('/uploads', { body: file });
      change(({ inputs }) => ({
        inputs: inputs.map((input) => (input.key === key ? { ...input, source: { upload_id: id } } : input)),
      }));
    } catch (error) {
      const { problem, message, isConnectionLost } = asApiError(error);
      setFault(isConnectionLost ? t('inputs.lost', { name: file.name }) : (problem?.detail ?? message));
      remove(key);
    }
  }
  return { add, remove, fault };
}

/**
 * Adds files that are pasted, or dropped anywhere on the screen. Returns whether files are being dragged over it.
 *
 * @param add null if the form takes no files.
 */
function useGivenFiles(add: ((files: readonly File[]) => void) | null): boolean {
  const [isOver, setOver] = useState(false);
  const latest = useRef(add);
  latest.current = add;
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const take = (data: DataTransfer | null) => latest.current?.([...(data?.files ?? [])]);
    document.addEventListener('paste', (event) => take(event.clipboardData), { signal });
    document.addEventListener('dragover', () => setOver(true), { signal });
    document.addEventListener('dragleave', (event) => setOver(event.relatedTarget !== null), { signal });
    const drop = (event: DragEvent) => {
      setOver(false);
      take(event.dataTransfer);
    };
    document.addEventListener('drop', drop, { signal });
    return () => controller.abort();
  }, []);
  return isOver;
}
