import { type CatalogueModel, parseSize } from './catalogue-file.ts';
import { editIssues } from './edit-rules.ts';
import { AppError, type FieldIssue } from './errors.ts';
import type { ImageRequest } from './image-request.ts';
import type { InputName } from './input-image.ts';
import { correctionTo, type ModelCatalogue, statusOn } from './model-catalogue.ts';
import { nearestName } from './nearest-name.ts';
import { outputIssues } from './output-rules.ts';
import { hasMoreCodePoints } from './text.ts';

/**
 * Checks a request against its model's rules before anything is queued.
 *
 * @returns warnings to store with the job (deprecated or unknown model).
 * @throws AppError `model_retired` naming the successor, `model_unknown` if unknown models are forbidden, or
 * `validation_failed` naming every field that the model does not accept.
 */
export function checkAgainstCatalogue(
  request: ImageRequest,
  catalogue: ModelCatalogue,
  options: {
    nowMs: number;
    allowUnknownModels: boolean;
    /** Texts that a preset puts around the prompt. */
    promptTemplate?: readonly string[] | undefined;
    /** Inputs of an edit. */
    inputs?: readonly InputName[] | undefined;
  },
): string[] {
  const model = catalogue.find(request.model);
  if (!model) return unknownModel(request.model, catalogue, options);
  const status = statusOn(model, options.nowMs);
  const instead = model.successor ?? 'a model from GET /models';
  if (status === 'retired') {
    const since = model.shutdown_at ? ` on ${model.shutdown_at}` : '';
    throw new AppError('model_retired', {
      detail: `${request.model} was shut down${since}. Use ${instead}.`,
      issues: [{ pointer: '/model', detail: `retired; its successor is ${model.successor ?? 'unknown'}` }],
    });
  }
  const issues = [
    ...ruleIssues(request, model, options.promptTemplate),
    ...editIssues(request, model, options.inputs ?? []),
  ];
  if (issues.length > 0) {
    throw new AppError('validation_failed', { detail: `${model.id} does not take this request.`, issues });
  }
  if (status !== 'deprecated') return [];
  const until = model.shutdown_at ? ` and shuts down on ${model.shutdown_at}` : '';
  return [`${model.id} is deprecated${until}; move to ${instead}.`];
}

function unknownModel(
  name: string,
  catalogue: ModelCatalogue,
  { allowUnknownModels, nowMs }: { allowUnknownModels: boolean; nowMs: number },
): string[] {
  if (!allowUnknownModels) {
    const usable = catalogue.models.filter((model) => statusOn(model, nowMs) !== 'retired');
    const nearest = nearestName(
      name,
      usable.flatMap(({ id, aliases }) => [id, ...aliases]),
    );
    const suggestion = nearest ? ` Did you mean ${nearest}?` : '';
    throw new AppError('model_unknown', {
      detail: `${name} is not in the catalogue of this deployment.${suggestion} GET /models lists the models.`,
      issues: [
        {
          pointer: '/model',
          detail: nearest ? `not in the catalogue; nearest: ${nearest}` : 'not in the catalogue',
        },
      ],
    });
  }
  return [`${name} is not in the catalogue: its parameters were not checked and its cost is unknown.`];
}

function ruleIssues(
  request: ImageRequest,
  model: CatalogueModel,
  promptTemplate: readonly string[] | undefined,
): FieldIssue[] {
  const issues: FieldIssue[] = [];
  const oneOf = (field: keyof ImageRequest, allowed: readonly string[]) => {
    const value = request[field];
    if (typeof value !== 'string' || allowed.includes(value)) return;
    issues.push({ pointer: `/${field}`, detail: correctionTo(allowed, model) });
  };
  oneOf('quality', model.qualities);
  oneOf('complexity', model.complexities);
  oneOf('background', model.backgrounds);
  oneOf('moderation', model.moderations);
  oneOf('output_format', model.output_formats);
  const sizeFault = sizeIssue(request.size, model);
  if (sizeFault) issues.push({ pointer: '/size', detail: sizeFault });
  if (request.n > model.max_n) issues.push({ pointer: '/n', detail: `must be at most ${model.max_n}` });
  if (hasMoreCodePoints(promptTemplate?.join(request.prompt) ?? request.prompt, model.max_prompt)) {
    const whole = promptTemplate ? ' together with what its preset adds' : '';
    issues.push({ pointer: '/prompt', detail: `must have at most ${model.max_prompt} code points${whole}` });
  }
  issues.push(...outputIssues(request, model));
  return issues;
}

function sizeIssue(size: string, model: CatalogueModel): string | null {
  if (model.sizes.includes(size)) return null;
  const edges = parseSize(size);
  const free = model.free_sizes;
  if (!edges || !free) return `must be one of ${model.sizes.join(', ')}`;
  const { width, height } = edges;
  if (width % free.multiple_of !== 0 || height % free.multiple_of !== 0) {
    return `both edges must be multiples of ${free.multiple_of}`;
  }
  if (Math.max(width, height) > free.max_edge) return `no edge may be above ${free.max_edge}`;
  if (Math.max(width, height) / Math.min(width, height) > free.max_ratio) {
    return `the ratio of the edges may be at most ${free.max_ratio} to 1`;
  }
  const pixels = width * height;
  if (pixels < free.min_pixels || pixels > free.max_pixels) {
    return `must have ${free.min_pixels} to ${free.max_pixels} pixels in all`;
  }
  return null;
}
