import { useEffect, useRef, useState } from 'preact/hooks';
import type { ImageJob } from '../../api/types.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Money } from '../../components/money.tsx';
import { useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { gallery } from '../../strings/gallery.ts';
import { moveBy, reset, type View, zoomAt } from './zoom.ts';

/** Two to four images side by side. All of them show the same part: zoom and movement are shared. */
export function Compare({ jobs, onClose }: { jobs: readonly ImageJob[]; onClose: () => void }) {
  const t = useText(gallery);
  const c = useText(common);
  const [view, setView] = useState<View>(reset);
  const area = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const { current } = area;
    if (!current) return;
    // A passive listener, as Preact adds it, could not stop the page from scrolling.
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const frame = event.target instanceof Element ? event.target.closest('.compare-frame') : null;
      if (frame) setView((before) => zoomAt(before, event.deltaY < 0 ? 1.2 : 1 / 1.2, pointIn(frame, event)));
    };
    current.addEventListener('wheel', wheel, { passive: false });
    return () => current.removeEventListener('wheel', wheel);
  }, []);
  const zoom = (factor: number) => setView((before) => zoomAt(before, factor, { x: 0.5, y: 0.5 }));
  const keys: Readonly<Record<string, () => void>> = {
    '+': () => zoom(1.25),
    '=': () => zoom(1.25),
    '-': () => zoom(1 / 1.25),
    '0': () => setView(reset),
    ArrowLeft: () => setView((before) => moveBy(before, 0.08, 0)),
    ArrowRight: () => setView((before) => moveBy(before, -0.08, 0)),
    ArrowUp: () => setView((before) => moveBy(before, 0, 0.08)),
    ArrowDown: () => setView((before) => moveBy(before, 0, -0.08)),
  };
  return (
    <Dialog title={t('compare.title', { count: jobs.length })} className="dialog-full" onClose={onClose}>
      <section
        ref={area}
        class="compare"
        tabIndex={0}
        aria-label={t('compare.area')}
        data-zoom={view.zoom.toFixed(2)}
        onKeyDown={(event) => {
          const act = keys[event.key];
          if (!act) return;
          event.preventDefault();
          act();
        }}
      >
        {jobs.map((job) => (
          <Compared
            key={job.id}
            job={job}
            view={view}
            onMove={(dx, dy) => setView((v) => moveBy(v, dx, dy))}
          />
        ))}
      </section>
      <div class="row row-wrap">
        <Button size="sm" icon="minus" label={t('compare.out')} onClick={() => zoom(1 / 1.5)} />
        <span class="num">{Math.round(view.zoom * 100)} %</span>
        <Button size="sm" icon="plus" label={t('compare.in')} onClick={() => zoom(1.5)} />
        <Button size="sm" onClick={() => setView(reset)}>
          {t('compare.reset')}
        </Button>
        <span class="faint wide-only">{t('compare.hint')}</span>
        <Button className="push" onClick={onClose}>
          {c('close')}
        </Button>
      </div>
    </Dialog>
  );
}

function Compared(props: { job: ImageJob; view: View; onMove: (dx: number, dy: number) => void }) {
  const { job, view, onMove } = props;
  const image = job.images[0];
  const drag = (event: PointerEvent & { currentTarget: HTMLElement }) => {
    if (event.buttons !== 1) return;
    const { width, height } = event.currentTarget.getBoundingClientRect();
    onMove(event.movementX / width, event.movementY / height);
  };
  return (
    <figure class="stack stack-sm">
      <div
        class="frame compare-frame"
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={drag}
      >
        {image ? (
          <img
            src={image.url}
            alt={job.prompt.original}
            draggable={false}
            style={{ transform: `translate(${view.x * 100}%, ${view.y * 100}%) scale(${view.zoom})` }}
          />
        ) : null}
      </div>
      <figcaption class="stack stack-tight">
        <span class="truncate tile-title" dir="auto" title={job.prompt.original}>
          {job.prompt.original}
        </span>
        <span class="row row-between faint">
          <span class="truncate">{[job.request.model, job.request.quality].filter(Boolean).join(', ')}</span>
          <Money microUsd={job.cost.micro_usd} isSimulated={job.livemode === false} />
        </span>
      </figcaption>
    </figure>
  );
}

function pointIn(frame: Element, { clientX, clientY }: MouseEvent): { x: number; y: number } {
  const { left, top, width, height } = frame.getBoundingClientRect();
  return { x: (clientX - left) / width, y: (clientY - top) / height };
}
