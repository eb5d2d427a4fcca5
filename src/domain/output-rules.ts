import type { FieldIssue } from './errors.ts';
import type { ImageRequest } from './image-request.ts';
import { type CatalogueModel, correctionTo } from './model-catalogue.ts';

/** Field whose meaning depends on other fields, with its value in the request and its rule. */
type Rule = readonly [pointer: string, isViolated: boolean, detail: string];

/** Returns an issue for every field that the output format or the model of a request forbids. */
export function outputIssues(request: ImageRequest, model: CatalogueModel): FieldIssue[] {
  const format = request.output_format ?? 'png';
  const rules: readonly Rule[] = [
    [
      '/background',
      request.background === 'transparent' && !['png', 'webp'].includes(format),
      'transparent needs output_format png or webp',
    ],
    [
      '/output_compression',
      request.output_compression !== undefined && !['jpeg', 'webp'].includes(format),
      'is for output_format webp and jpeg only',
    ],
    ...frameRules(request, model, format),
    ...svgRules(request, model, format),
    ...partialImageRules(request, model, format),
  ];
  return rules.flatMap(([pointer, isViolated, detail]) => (isViolated ? [{ pointer, detail }] : []));
}

function frameRules(
  request: ImageRequest,
  { id, frames, output_formats: formats }: CatalogueModel,
  format: string,
): Rule[] {
  const { frame_count: count, frame_duration_ms: durationMs } = request;
  return [
    ...misplaced('/frame_count', count, { format, needs: 'gif' }),
    ...misplaced('/frame_duration_ms', durationMs, { format, needs: 'gif' }),
    ...(frames === null
      ? [
          [
            '/output_format',
            format === 'gif' && formats.includes('gif'),
            `${id} does not make animations`,
          ] as const,
        ]
      : [
          [
            '/frame_count',
            count !== undefined && (count < frames.min_count || count > frames.max_count),
            `must be ${frames.min_count} to ${frames.max_count}`,
          ] as const,
          [
            '/frame_duration_ms',
            durationMs !== undefined && durationMs > frames.max_duration_ms,
            `must be at most ${frames.max_duration_ms}`,
          ] as const,
        ]),
  ];
}

function svgRules({ svg }: ImageRequest, model: CatalogueModel, format: string): Rule[] {
  const effort = svg?.reasoning?.effort;
  return [
    ...misplaced('/svg', svg, { format, needs: 'svg' }),
    ['/svg/model', format === 'svg' && svg?.model === undefined, 'is required for output_format svg'],
    [
      '/svg/reasoning/effort',
      format === 'svg' && effort !== undefined && !model.svg_efforts.includes(effort),
      correctionTo(model.svg_efforts, model),
    ],
  ];
}

function partialImageRules(
  { partial_images: wanted = 0 }: ImageRequest,
  { id, partial_images: rules }: CatalogueModel,
  format: string,
): Rule[] {
  const max = rules?.max ?? 0;
  const limit = max === 0 ? `${id} sends no partial images` : `must be at most ${max}`;
  return [
    ['/partial_images', wanted > max, limit],
    ['/partial_images', wanted > 0 && ['gif', 'svg'].includes(format), `is not for output_format ${format}`],
  ];
}

/** Returns a rule that is violated if a field is present although another output format is requested. */
const misplaced = (
  pointer: string,
  value: unknown,
  { format, needs }: { readonly format: string; readonly needs: string },
): Rule[] => [[pointer, value !== undefined && format !== needs, `is for output_format ${needs} only`]];
