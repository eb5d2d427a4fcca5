import { costOfText } from '../domain/cost.ts';
import type { ImageRequest } from '../domain/image-request.ts';
import type { ModelCatalogue } from '../domain/model-catalogue.ts';
import { type Clock, type Log, type Meter, type PromptEnhancer, ProviderError } from '../domain/ports.ts';
import { type Presets, renderPreset } from '../domain/preset.ts';
import { countCodePoints } from '../domain/text.ts';
import type { Execution } from './execution.ts';

interface Deps {
  enhancer: PromptEnhancer;
  presets: Presets;
  catalogue: ModelCatalogue;
  clock: Clock;
  meter: Meter;
  log: Log;
}

/** Up to this many code points a prompt counts as short, and `enhance: auto` expands it. */
const shortPrompt = 160;
const callTimeoutMs = 60_000;

export type ExpandPrompt = (execution: Execution) => Promise<string>;

/**
 * The text that goes to the image model: the caller's prompt, expanded if wanted, in the preset's frame if one was
 * chosen. The expansion is kept with the job, so that it is paid once; when it fails, the original goes on.
 */
export function createExpandPrompt(deps: Deps): ExpandPrompt {
  async function enhance(execution: Execution, prompt: string): Promise<void> {
    const no = await execution.openAttempt('enhance', 0, 'enhancing', deps.clock(), deps.enhancer.model);
    if (no === null) return;
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    try {
      const { text, providerRequestId, usage } = await deps.enhancer.enhance(prompt, {
        signal: execution.signal,
        timeoutMs: callTimeoutMs,
        clientRequestId: `${execution.job.id}-${no}`,
        traceparent: execution.job.traceparent,
      });
      deps.meter.providerCall('enhance', deps.enhancer.model, 'ok', seconds());
      deps.meter.stageDone('enhancing', seconds());
      const cost = costOfText(usage, deps.catalogue.textPrices(deps.enhancer.model));
      await execution.moveAttempt(
        no,
        {
          state: 'stored',
          finishedAt: deps.clock(),
          ...(providerRequestId ? { providerRequestId } : {}),
          ...(cost === null ? {} : { costMicroUsd: cost }),
        },
        (job) => ({ ...job, enhancedPrompt: text }),
      );
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      const { failure } = error;
      deps.meter.providerCall('enhance', deps.enhancer.model, failure.code, seconds());
      deps.log.warn(
        { job_id: execution.job.id, code: failure.code },
        'prompt not enhanced, the original goes on',
      );
      const broken = failure.kind === 'unusable' ? 'unusable' : 'uncertain';
      const state = failure.billing === 'none' ? 'rejected' : broken;
      await execution.moveAttempt(no, { state, error: failure.code, finishedAt: deps.clock() }, (job) => ({
        ...job,
        warnings: [
          ...(job.warnings ?? []),
          `The prompt was not enhanced (${failure.code}); the original was used.`,
        ],
      }));
    }
  }

  return async (execution) => {
    const { request } = execution.job;
    if (!request) return '';
    const tried = execution.job.attempts.some(
      (attempt) => attempt.kind === 'enhance' && attempt.state !== 'calling',
    );
    if (!tried && execution.job.enhancedPrompt === undefined && wantsEnhancement(request)) {
      await enhance(execution, request.prompt);
    }
    const text = execution.job.enhancedPrompt ?? request.prompt;
    const chosen = deps.presets.choose(request.preset);
    return chosen ? renderPreset(chosen.preset, text, chosen.variables) : text;
  };
}

function wantsEnhancement(request: ImageRequest): boolean {
  if (request.enhance === 'always') return true;
  return request.enhance === 'auto' && countCodePoints(request.prompt) <= shortPrompt;
}
