import { promptTokens, textOverheadTokens } from '../../domain/cost.ts';
import type { Estimate } from '../../domain/estimate.ts';
import { type ImageJob, isTerminal } from '../../domain/image-job.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type { Meter, Spent, TokenSampleStore } from '../../domain/ports.ts';
import { maxSampleTokens, sampleKind, type TokenSample } from '../../domain/token-samples.ts';
import { callCost } from './call-cost.ts';
import { imageCallKindOf } from './image-parameters.ts';

interface Deps {
  catalogue: ModelCatalogue;
  estimate: Estimate;
  samples: Pick<TokenSampleStore, 'record'>;
  meter: Pick<Meter, 'estimateError'>;
}

/**
 * Creates the function that remembers the tokens of a stored image for later estimates, and measures the error of the
 * estimate that the image had. A late response of an ended job is ignored, because the text that was sent is unknown.
 */
export function createRecordTokens({ catalogue, estimate, samples, meter }: Deps) {
  return (job: ImageJob, spent: Spent): void => {
    const { request, promptTemplate, inputs = [] } = job;
    const model = catalogue.find(request?.model ?? '');
    if (!request || !model || !spent.usage || isTerminal(job.status)) return;
    const prompt = job.enhancedPrompt ?? request.prompt;
    const call = { model: request.model, kind: imageCallKindOf(job) };
    const bill = callCost(call, spent, catalogue);
    const expected = estimate(
      { ...request, prompt, n: 1, enhance: 'off' },
      { ...(promptTemplate ? { promptTemplate } : {}), inputs },
    );
    if (bill !== null && expected !== null) {
      meter.estimateError('low', bill / Math.max(1, expected.low));
      meter.estimateError('high', bill / Math.max(1, expected.high));
    }
    if (![spent.usage, spent.hostModel?.usage].every(isPlausible)) return;
    const hostMicroUsd = (bill ?? 0) - (callCost(call, { usage: spent.usage }, catalogue) ?? 0);
    const sample = sampleOf(spent.usage, {
      text: promptTemplate?.join(prompt) ?? prompt,
      hasInputs: inputs.length > 0,
    });
    samples.record(sampleKind(model.id, request, inputs), {
      ...sample,
      hostMicroUsd: Math.max(0, hostMicroUsd),
    });
  };
}
export type RecordTokens = ReturnType<typeof createRecordTokens>;

const isPlausible = (usage: Spent['usage'] | undefined): boolean =>
  !usage || Math.max(usage.input_tokens, usage.output_tokens) <= maxSampleTokens;

function sampleOf(
  usage: NonNullable<Spent['usage']>,
  { text, hasInputs }: { text: string; hasInputs: boolean },
): Omit<TokenSample, 'hostMicroUsd'> {
  const inputImages = usage.input_tokens_details?.image_tokens ?? 0;
  // Without details the tokens of the inputs look like text and would raise the price of every prompt.
  const isUnclear = hasInputs && usage.input_tokens_details?.image_tokens === undefined;
  const textTokens = Math.max(0, usage.input_tokens - inputImages);
  const textFactor = isUnclear ? 0 : textTokens / (promptTokens(text) + textOverheadTokens);
  return { output: usage.output_tokens, inputImages, textFactor };
}
