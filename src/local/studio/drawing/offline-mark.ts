import { type Canvas, num } from './canvas.ts';

/** Paints the mark of offline images into the lower right corner: a crossed-out cloud on a small dark disc. */
export function paintOfflineMark(canvas: Canvas): void {
  const { width, height, unit } = canvas;
  const radius = unit * 0.022;
  const margin = unit * 0.018;
  const scale = num(radius * 10);
  canvas.add(
    `<g data-mark="offline" transform="translate(${num(width - margin - radius)} ${num(height - margin - radius)}) scale(${Number(scale) / 1000})">` +
      '<circle r="100" fill="#16181d" fill-opacity=".62"/>' +
      '<path d="M-38 30a24 24 0 0 1-2-48a34 34 0 0 1 64-9a29 29 0 0 1 14 57z" fill="#fff" fill-opacity=".92"/>' +
      '<path d="M-46 -50L46 52" stroke="#16181d" stroke-width="22"/>' +
      '<path d="M-46 -50L46 52" stroke="#fff" stroke-opacity=".92" stroke-width="9" stroke-linecap="round"/></g>',
  );
}
