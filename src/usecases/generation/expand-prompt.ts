import { knownCost } from '../../domain/attempt.ts';
import { costOfText, type TokenUsage } from '../../domain/cost.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import { type ImageRequest, wantsEnhancement } from '../../domain/image-request.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import {
  type Clock,
  type Log,
  type Meter,
  type PromptEnhancer,
  ProviderError,
  type ProviderFailure,
} from '../../domain/ports.ts';
import { hasMoreCodePoints } from '../../domain/text.ts';
import { isHandingOver, type JobRun } from './job-run.ts';
import { allowsPaidRetry, type UncertainPolicy } from './retry-decision.ts';

interface Deps {
  enhancer: PromptEnhancer;
  catalogue: ModelCatalogue;
  clock: Clock;
  meter: Meter;
  log: Log;
  policy: Pick<UncertainPolicy, 'onUncertain'>;
}

const callTimeoutMs = 60_000;

export type ExpandPrompt = (run: JobRun) => Promise<string>;

/**
 * The text that goes to the image model: the caller's prompt, expanded if wanted, in the preset's frame if one was
 * chosen. The expansion is kept with the job, so that it is paid once; when it fails, the original goes on with a warning.
 */
export function createExpandPrompt(deps: Deps): ExpandPrompt {
  const mayPayAgain = (job: ImageJob) => allowsPaidRetry(job, deps.policy);

  /** A call that a worker took with it. It is paid for again only where that is consented to. */
  function recordLost(run: JobRun, no: number): Promise<void> {
    const row = { state: 'uncertain', error: 'worker_lost', finishedAt: deps.clock() } as const;
    return run.moveAttempt(no, row, (job) => (mayPayAgain(job) ? job : withoutEnhancement(job, row.error)));
  }

  async function recordFailure(run: JobRun, no: number, failure: ProviderFailure): Promise<void> {
    deps.log.warn({ job_id: run.job.id, code: failure.code }, 'prompt not enhanced, the original goes on');
    const broken = failure.kind === 'unusable' ? 'unusable' : 'uncertain';
    const state = failure.billing === 'none' ? 'rejected' : broken;
    await run.moveAttempt(
      no,
      {
        state,
        error: failure.code,
        finishedAt: deps.clock(),
        ...(failure.billing === 'charged' ? { charged: true } : {}),
        ...costOf(failure.spent?.usage ?? null),
      },
      (job) => withoutEnhancement(job, failure.code),
    );
  }

  const costOf = (usage: TokenUsage | null) =>
    knownCost(costOfText(usage, deps.catalogue.textPrices(deps.enhancer.model)));

  /** @throws ProviderError also when the description is more than the image model takes. */
  async function describe(run: JobRun, no: number, prompt: string) {
    const { job, signal } = run;
    const description = await deps.enhancer.enhance(prompt, {
      signal,
      timeoutMs: callTimeoutMs,
      clientRequestId: `${job.id}-${no}`,
      traceparent: job.traceparent,
    });
    const max = deps.catalogue.find(job.request?.model ?? '')?.max_prompt ?? Number.POSITIVE_INFINITY;
    if (hasMoreCodePoints(wrapPrompt(job, description.text), max)) throw tooLong(description.usage);
    return description;
  }

  async function enhance(run: JobRun, prompt: string): Promise<void> {
    const no = await run.openAttempt('enhance', 0, 'enhancing', deps.clock(), deps.enhancer.model);
    if (no === null) return;
    const started = performance.now();
    const meter = (outcome: string) =>
      deps.meter.providerCall('enhance', deps.enhancer.model, outcome, (performance.now() - started) / 1000);
    try {
      const { text, providerRequestId, usage } = await describe(run, no, prompt);
      meter('ok');
      deps.meter.stageDone('enhancing', (performance.now() - started) / 1000);
      const head = providerRequestId ? { providerRequestId } : {};
      await run.moveAttempt(
        no,
        { state: 'stored', finishedAt: deps.clock(), ...head, ...costOf(usage) },
        (job) => ({ ...job, enhancedPrompt: text }),
      );
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      const { failure } = error;
      meter(failure.code);
      const isCutOff = failure.kind === 'uncertain' && isHandingOver(run.signal);
      await (isCutOff ? recordLost(run, no) : recordFailure(run, no, failure));
    }
  }

  /** Whether a description is still to be asked for, now that no earlier call is open. */
  function isDue(job: ImageJob, request: ImageRequest): boolean {
    if (job.enhancedPrompt !== undefined || !wantsEnhancement(request)) return false;
    const tries = job.attempts.filter(({ kind }) => kind === 'enhance');
    return tries.every(({ error }) => error === 'worker_lost') && (tries.length === 0 || mayPayAgain(job));
  }

  return async (run) => {
    const { request } = run.job;
    if (!request) return '';
    for (const { kind, state, no } of run.job.attempts) {
      if (kind === 'enhance' && state === 'calling') await recordLost(run, no);
    }
    if (isDue(run.job, request)) await enhance(run, request.prompt);
    return wrapPrompt(run.job, run.job.enhancedPrompt ?? request.prompt);
  };
}

const wrapPrompt = ({ promptTemplate }: ImageJob, text: string) => promptTemplate?.join(text) ?? text;

function withoutEnhancement(job: ImageJob, code: string): ImageJob {
  const warning = `The prompt was not enhanced (${code}); the original was used.`;
  return { ...job, warnings: [...(job.warnings ?? []), warning] };
}

function tooLong(usage: TokenUsage | null): ProviderError {
  return new ProviderError({
    kind: 'unusable',
    code: 'provider_unusable_answer',
    billing: usage ? 'charged' : 'possible',
    message: 'The description is longer than the image model takes.',
    spent: { usage },
  });
}
