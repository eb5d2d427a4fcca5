import type { CatalogueModel } from './catalogue-file.ts';
import type { FieldIssue } from './errors.ts';
import type { ImageRequest } from './image-request.ts';
import { correctionTo } from './model-catalogue.ts';

/** Function that adds an issue if a rule is violated. */
type Refuse = (pointer: string, isViolated: boolean, detail: string) => void;

/** Returns an issue for every field that the output format or the model of a request forbids. */
export function outputIssues(request: ImageRequest, model: CatalogueModel): FieldIssue[] {
  const { background, output_compression, output_format: format = 'png' } = request;
  const issues: FieldIssue[] = [];
  const refuse: Refuse = (pointer, isViolated, detail) => {
    if (isViolated) issues.push({ pointer, detail });
  };
  refuse(
    '/background',
    background === 'transparent' && format !== 'png' && format !== 'webp',
    'transparent needs output_format png or webp',
  );
  refuse(
    '/output_compression',
    output_compression !== undefined && format !== 'jpeg' && format !== 'webp',
    'is for output_format webp and jpeg only',
  );
  checkFrames(request, model, { format, refuse });
  checkSvg(request, model, { format, refuse });
  checkPartialImages(request, model, { format, refuse });
  return issues;
}

interface Check {
  readonly format: string;
  readonly refuse: Refuse;
}

function checkFrames(
  { frame_count: count, frame_duration_ms: durationMs }: ImageRequest,
  { id, frames, output_formats: formats }: CatalogueModel,
  { format, refuse }: Check,
): void {
  const isGif = format === 'gif';
  refuse('/frame_count', count !== undefined && !isGif, onlyFor('gif'));
  refuse('/frame_duration_ms', durationMs !== undefined && !isGif, onlyFor('gif'));
  if (frames === null) {
    refuse('/output_format', isGif && formats.includes('gif'), `${id} does not make animations`);
    return;
  }
  const { min_count, max_count, max_duration_ms } = frames;
  const isOutside = count !== undefined && (count < min_count || count > max_count);
  refuse('/frame_count', isOutside, `must be ${min_count} to ${max_count}`);
  const isTooLong = durationMs !== undefined && durationMs > max_duration_ms;
  refuse('/frame_duration_ms', isTooLong, `must be at most ${max_duration_ms}`);
}

function checkSvg({ svg }: ImageRequest, model: CatalogueModel, { format, refuse }: Check): void {
  refuse('/svg', svg !== undefined && format !== 'svg', onlyFor('svg'));
  if (format !== 'svg') return;
  refuse('/svg/model', svg?.model === undefined, 'is required for output_format svg');
  const effort = svg?.reasoning?.effort;
  const isUnknown = effort !== undefined && !model.svg_efforts.includes(effort);
  refuse('/svg/reasoning/effort', isUnknown, correctionTo(model.svg_efforts, model));
}

function checkPartialImages(
  { partial_images: wanted = 0 }: ImageRequest,
  { id, partial_images: rules }: CatalogueModel,
  { format, refuse }: Check,
): void {
  if (wanted === 0) return;
  const max = rules?.max ?? 0;
  refuse(
    '/partial_images',
    wanted > max,
    max === 0 ? `${id} sends no partial images` : `must be at most ${max}`,
  );
  refuse('/partial_images', format === 'gif' || format === 'svg', `is not for output_format ${format}`);
}

const onlyFor = (format: string) => `is for output_format ${format} only`;
