import { useEffect, useRef, useState } from 'preact/hooks';
import type { Upload } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { FieldError } from '../../components/field.tsx';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import type { FormInput } from './form.ts';
import { MaskCanvas } from './mask-canvas.tsx';
import { encodeMask } from './mask-file.ts';
import { RectangleFields } from './mask-rectangle.tsx';
import type { MaskShape, Size, Tool } from './mask-shapes.ts';
import { texts } from './texts.ts';

interface Props {
  /** Address of the image. */
  readonly image: string;
  readonly onUse: (mask: FormInput) => void;
  readonly onClose: () => void;
}

const zooms = [1, 2, 4];
const minBrush = 4;
const maxBrush = 400;

/** Paints the area of an image that an edit changes, with the pointer or with numbers. */
export function MaskPainter({ image, onUse, onClose }: Props) {
  const t = useText(texts);
  const { api } = useSession();
  const size = useImageSize(image);
  const [shapes, setShapes] = useState<readonly MaskShape[]>([]);
  const [percent, setPercent] = useState(0);
  const [tool, setTool] = useState<Tool>({ kind: 'brush', erases: false, size: 64, zoom: 1 });
  const [state, setState] = useState<{ isBusy: boolean; fault?: string }>({ isBusy: false });
  const undo = () => setShapes((before) => before.slice(0, -1));
  const change = (changes: Partial<Tool>) => setTool((before) => ({ ...before, ...changes }));

  async function use(): Promise<void> {
    if (!size) return;
    setState({ isBusy: true });
    try {
      const file = await encodeMask(shapes, size);
      const { id } = await api.call<Upload>('/uploads', { body: file });
      onUse({ key: id, name: id, previewUrl: URL.createObjectURL(file), source: { upload_id: id } });
      onClose();
    } catch (error) {
      setState({ isBusy: false, fault: asApiError(error).message });
    }
  }

  return (
    <Dialog title={t('mask.title')} onClose={onClose} className="dialog-wide">
      <div class="stack" onKeyDown={(event) => pressKey(event, { tool, change, undo })}>
        <Toolbar tool={tool} change={change} onUndo={undo} canUndo={shapes.length > 0} />
        {size ? (
          <MaskCanvas
            image={image}
            size={size}
            tool={tool}
            shapes={shapes}
            onShape={(shape) => setShapes((before) => [...before, shape])}
            onPercent={setPercent}
          />
        ) : null}
        {size && tool.kind === 'rectangle' ? (
          <RectangleFields
            size={size}
            onAdd={(shape) => setShapes((before) => [...before, { ...shape, erases: tool.erases }])}
          />
        ) : null}
        {state.fault ? <FieldError text={state.fault} /> : null}
        <Foot
          percent={percent}
          isBusy={state.isBusy}
          onClear={() => setShapes([])}
          onClose={onClose}
          onUse={() => void use()}
        />
      </div>
    </Dialog>
  );
}

interface FootProps {
  readonly percent: number;
  readonly isBusy: boolean;
  readonly onClear: () => void;
  readonly onClose: () => void;
  readonly onUse: () => void;
}

function Foot({ percent, isBusy, onClear, onClose, onUse }: FootProps) {
  const t = useText(texts);
  return (
    <div class="row row-wrap">
      <span class="faint num grow" role="status">
        {t('mask.percent', { count: Math.round(percent) })}
      </span>
      <Button size="sm" isDisabled={percent === 0} onClick={onClear}>
        {t('mask.clear')}
      </Button>
      <Button size="sm" onClick={onClose}>
        {t('cancel')}
      </Button>
      <Button size="sm" kind="primary" isBusy={isBusy} isDisabled={percent === 0} onClick={onUse}>
        {t('mask.use')}
      </Button>
    </div>
  );
}

interface ToolbarProps {
  readonly tool: Tool;
  readonly change: (changes: Partial<Tool>) => void;
  readonly onUndo: () => void;
  readonly canUndo: boolean;
}

function Toolbar({ tool, change, onUndo, canUndo }: ToolbarProps) {
  const t = useText(texts);
  const pressed = (isPressed: boolean) => ({ 'aria-pressed': isPressed, size: 'sm' as const });
  const nextZoom = zooms[(zooms.indexOf(tool.zoom) + 1) % zooms.length] ?? 1;
  return (
    <div class="row row-wrap" role="toolbar" aria-label={t('mask.tools')}>
      <Button
        {...pressed(tool.kind === 'brush')}
        icon="brush"
        label={t('mask.brush')}
        onClick={() => change({ kind: 'brush' })}
      />
      <Button
        {...pressed(tool.kind === 'rectangle')}
        icon="rectangle"
        label={t('mask.rectangle')}
        onClick={() => change({ kind: 'rectangle' })}
      />
      <Button
        {...pressed(tool.erases)}
        icon="eraser"
        label={t('mask.erase')}
        onClick={() => change({ erases: !tool.erases })}
      />
      <Button size="sm" icon="undo" label={t('mask.undo')} isDisabled={!canUndo} onClick={onUndo} />
      <input
        class="range"
        type="range"
        min={minBrush}
        max={maxBrush}
        value={tool.size}
        aria-label={t('mask.size')}
        onInput={(event) => change({ size: Number(event.currentTarget.value) })}
      />
      <Button size="sm" onClick={() => change({ zoom: nextZoom })}>
        {t('mask.zoom', { count: tool.zoom * 100 })}
      </Button>
      <span class="faint wide-only">{t('mask.keys')}</span>
    </div>
  );
}

function pressKey(
  event: KeyboardEvent,
  { tool, change, undo }: { tool: Tool; change: (changes: Partial<Tool>) => void; undo: () => void },
): void {
  const isText = event.target instanceof HTMLInputElement && event.target.type !== 'range';
  if (isText || event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.key === '[') change({ size: Math.max(minBrush, Math.round(tool.size / 1.25)) });
  else if (event.key === ']') change({ size: Math.min(maxBrush, Math.round(tool.size * 1.25)) });
  else if (event.key === 'x') change({ erases: !tool.erases });
  else if (event.key === 'z') undo();
  else return;
  event.preventDefault();
}

/** Returns the size of an image after its orientation, as the service measures it. */
function useImageSize(address: string): Size | null {
  const [size, setSize] = useState<Size | null>(null);
  const latest = useRef(address);
  latest.current = address;
  useEffect(() => {
    const image = new Image();
    image.onload = () => {
      if (latest.current === address) setSize({ width: image.naturalWidth, height: image.naturalHeight });
    };
    image.src = address;
  }, [address]);
  return size;
}
