import { drawShapes, type MaskShape, type Size } from './mask-shapes.ts';

/** Returns a mask as a PNG of the size of its image. The painted area is transparent: the edit changes it. */
export async function encodeMask(shapes: readonly MaskShape[], { width, height }: Size): Promise<Blob> {
  const painted = newCanvas(width, height);
  drawShapes(painted.context, shapes, { width, height, color: '#000' });
  const mask = newCanvas(width, height);
  mask.context.fillStyle = '#000';
  mask.context.fillRect(0, 0, width, height);
  mask.context.globalCompositeOperation = 'destination-out';
  mask.context.drawImage(painted.canvas, 0, 0);
  return new Promise((resolve, reject) => {
    mask.canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error('the mask is too large'))),
      'image/png',
    );
  });
}

function newCanvas(width: number, height: number) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('the browser has no canvas');
  return { canvas, context };
}
