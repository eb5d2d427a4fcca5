import type { CatalogueModel } from '../../domain/catalogue-file.ts';
import type { Estimate } from '../../domain/estimate.ts';
import type { ImageRequest } from '../../domain/image-request.ts';
import type { Preset } from '../../domain/preset.ts';

/** Request whose cost describes the prices of a model. */
const sample = { prompt: 'A lighthouse in a storm', n: 1, size: '1024x1024' };

/** Describes a model in one line for a language model: its rules, and the highest cost of a square image by quality. */
export function describeModel(model: CatalogueModel, estimate: Estimate): string {
  const { id, sizes, free_sizes: free, qualities, output_formats: formats, edits } = model;
  const freeRules = free
    ? `, or WIDTHxHEIGHT in multiples of ${free.multiple_of}, edges up to ${free.max_edge}, ratio up to ${free.max_ratio}:1`
    : '';
  const retirement = model.successor ? `; use ${model.successor} instead` : '';
  return [
    `${id} (${model.status}${model.status === 'current' ? '' : retirement})`,
    `qualities ${qualities.join(', ')}`,
    `sizes ${sizes.join(', ')}${freeRules}`,
    `formats ${formats.join(', ')}`,
    edits ? `edits up to ${edits.max_images} images${edits.mask ? ' with a mask' : ''}` : 'no edits',
    `cost of one ${sample.size} image at most ${pricesOf(model, estimate)}`,
  ].join('; ');
}

function pricesOf({ id, qualities }: CatalogueModel, estimate: Estimate): string {
  const prices = qualities
    .filter((quality) => quality !== 'auto')
    .map((quality) => {
      const cost = estimate({ ...sample, model: id, quality } as ImageRequest);
      return `${quality} ${cost ? `${cost.high} micro-USD` : 'unknown'}`;
    });
  return prices.join(', ') || 'unknown';
}

/** Describes a preset in one line for a language model. */
export function describePreset({ name, description, variables, requires_images: images }: Preset): string {
  const names = Object.entries(variables).map(([variable, { default: preset, one_of: values }]) => {
    const allowed = values ? `: ${values.join(' | ')}` : '';
    return `${variable}${preset === undefined ? ' (required)' : ''}${allowed}`;
  });
  return [
    `${name}: ${description}`,
    ...(names.length > 0 ? [`variables ${names.join(', ')}`] : []),
    ...(images ? [`only for edit_image with at least ${images} images`] : []),
  ].join('; ');
}
