import type { ImageJob } from '../../api/types.ts';

/**
 * Returns size, quality and number of images as one text: `1536 × 1024, high, n = 2`. If the model chose the size, it is that
 * of the first image.
 */
export function requestText({ request, images }: Pick<ImageJob, 'request' | 'images'>): string {
  const { size, quality, n } = request;
  const [image] = images;
  const made = image ? `${image.width} × ${image.height}` : size?.replace('x', ' × ');
  return [
    size === 'auto' ? made : size?.replace('x', ' × '),
    quality,
    n === undefined || n === 1 ? undefined : `n = ${n}`,
  ]
    .filter(Boolean)
    .join(', ');
}

/** Returns the name of the preset of a job; null if it has none. */
export function presetName({ request }: Pick<ImageJob, 'request'>): string | null {
  const { preset } = request;
  return preset === undefined ? null : typeof preset === 'string' ? preset : preset.name;
}
