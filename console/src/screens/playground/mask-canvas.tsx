import { useEffect, useRef, useState } from 'preact/hooks';
import { useText } from '../../lib/settings.ts';
import { drawShapes, type MaskShape, paintedPercent, type Size, type Tool } from './mask-shapes.ts';
import { texts } from './texts.ts';

interface Props {
  readonly image: string;
  readonly size: Size;
  readonly tool: Tool;
  readonly shapes: readonly MaskShape[];
  readonly onShape: (shape: MaskShape) => void;
  readonly onPercent: (percent: number) => void;
}

/** Color of the painted area. It is the same in both themes, because the image is. */
const maskColor = '#e8590c';
/** Longest edge of the copy that counts the painted pixels. */
const countedEdge = 256;

/** The image with a canvas above it that the pointer paints on. */
export function MaskCanvas({ image, size, tool, shapes, onShape, onPercent }: Props) {
  const t = useText(texts);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [draft, setDraft] = useState<MaskShape | null>(null);
  const start = useRef<readonly [number, number]>([0, 0]);

  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    drawShapes(context, draft ? [...shapes, draft] : shapes, { ...size, color: maskColor });
  }, [shapes, draft, size]);
  useEffect(() => {
    if (canvas.current) onPercent(measure(canvas.current, size));
  }, [shapes, size]);

  const pointOf = (event: PointerEvent): readonly [number, number] => {
    const box = canvas.current?.getBoundingClientRect();
    if (!box) return [0, 0];
    return [
      ((event.clientX - box.left) / box.width) * size.width,
      ((event.clientY - box.top) / box.height) * size.height,
    ];
  };
  const extend = (point: readonly [number, number]): MaskShape => {
    const { erases } = tool;
    if (tool.kind === 'brush') {
      const points = draft?.kind === 'stroke' ? [...draft.points, point] : [point];
      return { kind: 'stroke', points, size: tool.size, erases };
    }
    const [x, y] = start.current;
    return {
      kind: 'rectangle',
      x: Math.round(Math.min(x, point[0])),
      y: Math.round(Math.min(y, point[1])),
      width: Math.round(Math.abs(point[0] - x)),
      height: Math.round(Math.abs(point[1] - y)),
      erases,
    };
  };

  return (
    <div class="mask-stage" role="group" aria-label={t('mask.imageAlt')} tabIndex={0}>
      <div class="mask-sheet" style={{ width: `${tool.zoom * 100}%` }}>
        <img src={image} alt={t('mask.imageAlt')} draggable={false} />
        <canvas
          ref={canvas}
          class="mask-canvas"
          width={size.width}
          height={size.height}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            start.current = pointOf(event);
            setDraft(extend(start.current));
          }}
          onPointerMove={(event) => {
            if (draft) setDraft(extend(pointOf(event)));
          }}
          onPointerUp={() => {
            if (draft) onShape(draft);
            setDraft(null);
          }}
          onPointerCancel={() => setDraft(null)}
        />
      </div>
    </div>
  );
}

/** Returns the painted share of a canvas in percent, from a small copy. */
function measure(canvas: HTMLCanvasElement, { width, height }: Size): number {
  const scale = Math.min(1, countedEdge / Math.max(width, height));
  const copy = document.createElement('canvas');
  copy.width = Math.max(1, Math.round(width * scale));
  copy.height = Math.max(1, Math.round(height * scale));
  const context = copy.getContext('2d', { willReadFrequently: true });
  if (!context) return 0;
  context.drawImage(canvas, 0, 0, copy.width, copy.height);
  return paintedPercent(context.getImageData(0, 0, copy.width, copy.height).data);
}
