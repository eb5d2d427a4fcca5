import type { Image, ImageJob } from '../../api/types.ts';

const extensions: Readonly<Record<string, string>> = { 'image/jpeg': 'jpg', 'image/svg+xml': 'svg' };

/** Returns the name of the file of an image. */
export function fileNameOf({ id }: Pick<ImageJob, 'id'>, { index, content_type }: Image): string {
  return `${id}-${index}.${extensions[content_type] ?? content_type.replace('image/', '')}`;
}
