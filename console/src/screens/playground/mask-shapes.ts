/** Size of an image in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The tool that paints a mask. */
export interface Tool {
  readonly kind: 'brush' | 'rectangle';
  readonly erases: boolean;
  /** Diameter of the brush in pixels of the image. */
  readonly size: number;
  readonly zoom: number;
}

/** A part of a mask in pixels of the image. A part that erases removes what is painted below it. */
export type MaskShape =
  | {
      readonly kind: 'stroke';
      readonly points: readonly (readonly [x: number, y: number])[];
      readonly size: number;
      readonly erases: boolean;
    }
  | {
      readonly kind: 'rectangle';
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
      readonly erases: boolean;
    };

/** The drawing functions of a canvas that masks need. */
export interface MaskCanvas {
  globalCompositeOperation: string;
  fillStyle: unknown;
  strokeStyle: unknown;
  lineWidth: number;
  lineCap: string;
  lineJoin: string;
  clearRect(x: number, y: number, width: number, height: number): void;
  fillRect(x: number, y: number, width: number, height: number): void;
  beginPath(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  stroke(): void;
}

/** Draws the painted area in one color on a transparent canvas of the size of the image. */
export function drawShapes(
  canvas: MaskCanvas,
  shapes: readonly MaskShape[],
  { width, height, color }: { width: number; height: number; color: string },
): void {
  canvas.globalCompositeOperation = 'source-over';
  canvas.clearRect(0, 0, width, height);
  for (const shape of shapes) {
    canvas.globalCompositeOperation = shape.erases ? 'destination-out' : 'source-over';
    canvas.fillStyle = color;
    canvas.strokeStyle = color;
    if (shape.kind === 'rectangle') canvas.fillRect(shape.x, shape.y, shape.width, shape.height);
    else drawStroke(canvas, shape);
  }
  canvas.globalCompositeOperation = 'source-over';
}

function drawStroke(canvas: MaskCanvas, { points, size }: Extract<MaskShape, { kind: 'stroke' }>): void {
  const [first, ...rest] = points;
  if (!first) return;
  canvas.lineWidth = size;
  canvas.lineCap = 'round';
  canvas.lineJoin = 'round';
  canvas.beginPath();
  canvas.moveTo(first[0], first[1]);
  // A line of no length is drawn as a dot because of its round ends.
  for (const [x, y] of rest.length > 0 ? rest : [first]) canvas.lineTo(x, y);
  canvas.stroke();
}

/** Returns a rectangle within an image, from four texts; null if they are no numbers or lie outside. */
export function rectangleFrom(
  texts: { readonly x: string; readonly y: string; readonly width: string; readonly height: string },
  image: { readonly width: number; readonly height: number },
): Omit<Extract<MaskShape, { kind: 'rectangle' }>, 'erases'> | null {
  const [x, y, width, height] = [texts.x, texts.y, texts.width, texts.height].map((text) =>
    /^\s*\d+\s*$/.test(text) ? Number(text) : Number.NaN,
  ) as [number, number, number, number];
  if (!(x >= 0 && y >= 0 && width > 0 && height > 0)) return null;
  if (x >= image.width || y >= image.height) return null;
  return {
    kind: 'rectangle',
    x,
    y,
    width: Math.min(width, image.width - x),
    height: Math.min(height, image.height - y),
  };
}

/** Returns the share of pixels that are painted, in percent, from the bytes of a canvas (four for each pixel). */
export function paintedPercent(bytes: ArrayLike<number>): number {
  const pixels = bytes.length / 4;
  if (pixels === 0) return 0;
  let painted = 0;
  for (let i = 3; i < bytes.length; i += 4) if ((bytes[i] ?? 0) > 127) painted += 1;
  return (painted / pixels) * 100;
}
