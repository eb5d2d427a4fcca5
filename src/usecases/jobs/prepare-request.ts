import { AppError, type FieldIssue } from '../../domain/errors.ts';
import { estimateCost } from '../../domain/estimate.ts';
import { checkRequestText, type ImageRequest, type ImageRequestBody } from '../../domain/image-request.ts';
import { checkAgainstCatalogue, type ModelCatalogue } from '../../domain/model-catalogue.ts';
import type { Clock, DestinationGuard } from '../../domain/ports.ts';
import { type PresetDefaults, type Presets, promptTemplateOf } from '../../domain/preset.ts';

/** What a deployment decides about a request where the caller does not, and how far the caller may go. */
export interface RequestPolicy {
  readonly defaultModel: string;
  readonly allowUnknownModels: boolean;
  readonly queueTtlSeconds: number;
  readonly runTimeoutSeconds: number;
  readonly maxMediaSeconds: number;
  readonly maxRecordSeconds: number;
  /** The language model that writes descriptions. */
  readonly enhanceModel: string;
}

/** What a request has to keep to. */
export interface Rules {
  guard: DestinationGuard;
  catalogue: ModelCatalogue;
  presets: Presets;
  clock: Clock;
  policy: RequestPolicy;
}

export interface PreparedRequest {
  readonly request: ImageRequest;
  /** What the chosen preset puts around the prompt. */
  readonly promptTemplate?: readonly string[] | undefined;
  readonly warnings: readonly string[];
  /** In micro-USD; `null` where it cannot be told. */
  readonly estimate: number | null;
}

/**
 * Checks a body against everything that can be known before it costs anything, and fills in what the caller left open.
 *
 * @throws AppError for every fault a caller can mend.
 */
export function prepareRequest(body: ImageRequestBody, rules: Rules): PreparedRequest {
  const { catalogue, policy } = rules;
  checkRequestText(body);
  const chosen = rules.presets.choose(body.preset);
  const promptTemplate = chosen ? promptTemplateOf(chosen) : undefined;
  const request = withDefaults(body, chosen?.preset.defaults, policy);
  const warnings = checkAgainstCatalogue(request, catalogue, {
    nowMs: rules.clock(),
    allowUnknownModels: policy.allowUnknownModels,
    promptTemplate,
  });
  checkRetention(request, policy);
  if (request.webhook) rules.guard.checkUrl(request.webhook.url);
  const estimate = estimateCost(request, catalogue, { promptTemplate, enhanceModel: policy.enhanceModel });
  checkMaxCost(request, estimate);
  return { request, promptTemplate, warnings, estimate };
}

function withDefaults(
  body: ImageRequestBody,
  presetDefaults: PresetDefaults | undefined,
  policy: RequestPolicy,
): ImageRequest {
  // Not by spreading: copying a parsed object so, and adding to the copy, takes ten times as long.
  const request = Object.assign({}, presetDefaults, body);
  request.model ??= policy.defaultModel;
  request.n ??= 1;
  request.size ??= 'auto';
  request.enhance ??= 'off';
  request.priority ??= 'normal';
  request.queue_ttl_s ??= policy.queueTtlSeconds;
  request.run_timeout_s ??= policy.runTimeoutSeconds;
  return request as ImageRequest;
}

function checkRetention({ retention }: ImageRequest, policy: RequestPolicy): void {
  const { record_s = policy.maxRecordSeconds } = retention ?? {};
  // Who only wants the record kept shortly has said enough of its images.
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
      detail: 'This deployment does not keep data that long.',
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

function checkMaxCost(request: ImageRequest, estimate: number | null): void {
  const limit = request.max_cost_micro_usd;
  if (limit === undefined || (estimate !== null && estimate <= limit)) return;
  const detail =
    estimate === null
      ? `The cost of ${request.model} cannot be estimated, so it cannot be kept below the limit.`
      : `The estimate is ${estimate} micro-USD.`;
  throw new AppError('max_cost_exceeded', { detail, issues: [{ pointer: '/max_cost_micro_usd', detail }] });
}
