import { checkRequestText } from '../../domain/check-request-text.ts';
import { AppError, type FieldIssue } from '../../domain/errors.ts';
import type { CostRange, Estimate } from '../../domain/estimate.ts';
import { unknownCostOf } from '../../domain/estimate.ts';
import type { ImageRequest, ImageRequestFields } from '../../domain/image-request.ts';
import {
  type InputName,
  inputRoles,
  type JobInput,
  pointerOf,
  type RefusedInputs,
  roleIssues,
} from '../../domain/input-image.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import { checkAgainstCatalogue } from '../../domain/model-rules.ts';
import { isKnown } from '../../domain/open.ts';
import type { Clock, DestinationGuard } from '../../domain/ports.ts';
import {
  checkPresetImages,
  type PresetDefaults,
  type Presets,
  promptTemplateOf,
} from '../../domain/preset.ts';

/** Defaults and limits of a deployment for requests. */
export interface RequestPolicy {
  readonly defaultModel: string;
  readonly allowUnknownModels: boolean;
  /** Whether a request with `max_cost_micro_usd` passes if its cost is unknown. */
  readonly allowUnknownCost: boolean;
  readonly queueTtlSeconds: number;
  readonly runTimeoutSeconds: number;
  readonly maxMediaSeconds: number;
  readonly maxRecordSeconds: number;
  /** Quality of requests that name none. Default: the model chooses. */
  readonly defaultQuality?: string | undefined;
  /** Inputs that the provider never takes. Default: none. */
  readonly refusedInputs?: RefusedInputs;
}

/** Rules that a request is checked against. */
export interface Rules {
  guard: DestinationGuard;
  catalogue: ModelCatalogue;
  estimate: Estimate;
  presets: Presets;
  clock: Clock;
  policy: RequestPolicy;
}

export interface PreparedRequest {
  readonly request: ImageRequest;
  /** Texts that the chosen preset puts around the prompt. */
  readonly promptTemplate?: readonly string[] | undefined;
  readonly warnings: readonly string[];
  /** `null` if the cost is unknown. */
  readonly estimate: CostRange | null;
}

/**
 * Checks a body against everything that can be known before it costs money, and fills in the defaults.
 *
 * @param inputs names of the inputs of an edit, with their sizes if they are known.
 * @throws AppError for every fault that a caller can correct.
 */
export function prepareRequest(
  body: ImageRequestFields,
  rules: Rules,
  inputs: readonly (InputName & Pick<JobInput, 'width' | 'height'>)[] = [],
): PreparedRequest {
  const { catalogue, policy } = rules;
  checkRequestText(body);
  checkRoles(inputs, policy.refusedInputs);
  const chosen = rules.presets.choose(body.preset);
  if (chosen) checkPresetImages(chosen.preset, inputs.filter(({ role }) => role === 'image').length);
  const promptTemplate = chosen ? promptTemplateOf(chosen) : undefined;
  const request = withDefaults(body, chosen?.preset.defaults, rules);
  const warnings = checkAgainstCatalogue(request, catalogue, {
    nowMs: rules.clock(),
    allowUnknownModels: policy.allowUnknownModels,
    promptTemplate,
    inputs,
  });
  checkRetention(request, policy);
  if (request.webhook) {
    request.webhook = { ...request.webhook, url: rules.guard.checkUrl(request.webhook.url).href };
  }
  const estimate = rules.estimate(request, { promptTemplate, inputs });
  checkMaxCost(request, estimate, policy);
  return { request, promptTemplate, warnings, estimate };
}

function withDefaults(
  body: ImageRequestFields,
  presetDefaults: PresetDefaults | undefined,
  { policy, catalogue }: Pick<Rules, 'policy' | 'catalogue'>,
): ImageRequest {
  // Not a spread, because copying a parsed object and adding to the copy takes ten times as long.
  const request = Object.assign({}, presetDefaults, body);
  request.model ??= policy.defaultModel;
  request.n ??= 1;
  const { defaultQuality } = policy;
  if (defaultQuality !== undefined && catalogue.find(request.model)?.qualities.includes(defaultQuality)) {
    request.quality ??= defaultQuality;
  }
  request.size ??= 'auto';
  request.enhance ??= 'off';
  request.priority ??= 'normal';
  request.queue_ttl_s ??= policy.queueTtlSeconds;
  request.run_timeout_s ??= policy.runTimeoutSeconds;
  return request as ImageRequest;
}

function checkRoles(inputs: readonly InputName[], refused: RefusedInputs = {}): void {
  const unusable = inputs.flatMap((input) => {
    const detail = isKnown(inputRoles, input.role) ? refused[input.role] : undefined;
    return detail === undefined ? [] : [{ pointer: pointerOf(input), detail }];
  });
  const issues = [...roleIssues(inputs), ...unusable];
  if (issues.length > 0)
    throw new AppError('validation_failed', { detail: 'Correct the inputs listed in errors.', issues });
}

function checkRetention({ retention }: ImageRequest, policy: RequestPolicy): void {
  const { record_s = policy.maxRecordSeconds } = retention ?? {};
  // A short record_s alone limits the images as well.
  const { media_s = Math.min(policy.maxMediaSeconds, record_s) } = retention ?? {};
  const issues: FieldIssue[] = [];
  if (media_s > policy.maxMediaSeconds) {
    issues.push({ pointer: '/retention/media_s', detail: `must be at most ${policy.maxMediaSeconds}` });
  }
  if (record_s > policy.maxRecordSeconds) {
    issues.push({ pointer: '/retention/record_s', detail: `must be at most ${policy.maxRecordSeconds}` });
  }
  if (issues.length > 0) {
    throw new AppError('validation_failed', {
      detail: 'The retention is above the limit of this deployment.',
      issues,
    });
  }
  if (media_s > record_s) {
    const detail = `must not be above record_s; it is ${media_s} here, and record_s is ${record_s}`;
    throw new AppError('validation_failed', {
      detail: 'Images without a record cannot be found.',
      issues: [{ pointer: '/retention/media_s', detail }],
    });
  }
}

/** Compares the cap with the upper bound of the estimate, so that an accepted job cannot cost more per attempt. */
function checkMaxCost(request: ImageRequest, estimate: CostRange | null, policy: RequestPolicy): void {
  const limit = request.max_cost_micro_usd;
  if (limit === undefined) return;
  if (estimate === null) {
    if (policy.allowUnknownCost) return;
    const { subject, remedy } = unknownCostOf(request);
    const detail = `The cost of ${subject} is unknown, so max_cost_micro_usd cannot limit it. ${remedy}, or omit the limit.`;
    throw new AppError('cost_unknown', { detail, issues: [{ pointer: '/max_cost_micro_usd', detail }] });
  }
  if (estimate.high <= limit) return;
  const detail = `The request may cost up to ${estimate.high} micro-USD.`;
  throw new AppError('max_cost_exceeded', { detail, issues: [{ pointer: '/max_cost_micro_usd', detail }] });
}
