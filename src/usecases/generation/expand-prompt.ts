import { knownCost } from '../../domain/attempt.ts';
import { costOfText, type TokenUsage } from '../../domain/cost.ts';
import { enhancementWaitSeconds } from '../../domain/enhancement.ts';
import { AppError, shownCode } from '../../domain/errors.ts';
import { type ImageJob, isEnhancement, jobError } from '../../domain/image-job.ts';
import { type ImageRequest, wantsEnhancement } from '../../domain/image-request.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import { type CallContext, type Clock, type PromptEnhancer, ProviderError } from '../../domain/ports.ts';
import { hasMoreCodePoints } from '../../domain/text.ts';
import type { AttemptCall, AttemptedCall } from './attempt-call.ts';
import type { CheckBreaker } from './check-breaker.ts';
import { isHandingOver, type JobRun } from './job-run.ts';
import { allowsPaidRetry, type ImageOutcome, type UncertainPolicy } from './retry-decision.ts';

interface Deps {
  enhancer: PromptEnhancer;
  attemptCall: Pick<AttemptCall, 'make'>;
  checkBreaker: CheckBreaker;
  /** Breaker scopes of the enhancer's calls. */
  scopes: readonly string[];
  catalogue: ModelCatalogue;
  clock: Clock;
  policy: Pick<UncertainPolicy, 'onUncertain'>;
}

type Description = Awaited<ReturnType<PromptEnhancer['enhance']>>;

const callTimeoutMs = 60_000;

/** Returns the text for the image model, or the outcome of the job's images if the job has to wait. */
export type ExpandPrompt = (run: JobRun) => Promise<{ prompt: string } | { outcome: ImageOutcome }>;

/**
 * Expands the caller's prompt if requested, and wraps it in the template of the preset. The description is stored with the
 * job, so it is paid once. If the expansion fails, the job continues with the original prompt and a warning. An enhancement,
 * which has no images, fails instead.
 */
export function createExpandPrompt(deps: Deps): ExpandPrompt {
  const { enhancer, catalogue } = deps;
  const allowsRetry = (job: ImageJob) => allowsPaidRetry(job, deps.policy);
  const costOf = (usage: TokenUsage | null) => costOfText(usage, catalogue.textPrices(enhancer.model));

  /** Records a call whose worker died. It is paid again only with consent. */
  function recordLost(run: JobRun, no: number): Promise<void> {
    const row = { state: 'uncertain', error: 'worker_lost', finishedAt: deps.clock() } as const;
    return run.updateAttempt(no, row, (job) => withoutLostEnhancement(job, row.error));
  }

  const withoutLostEnhancement = (job: ImageJob, error: string) =>
    error === 'worker_lost' && allowsRetry(job) ? job : withoutEnhancement(job, error);

  /** @throws ProviderError, also if the description exceeds the prompt limit of the image model. */
  async function describe(job: ImageJob, prompt: string, context: CallContext): Promise<Description> {
    const description = await enhancer.enhance(prompt, context);
    const max = catalogue.find(job.request?.model ?? '')?.max_prompt ?? Number.POSITIVE_INFINITY;
    if (hasMoreCodePoints(wrapPrompt(job, description.text), max)) throw tooLong(description.usage);
    return description;
  }

  /** Makes the call. Returns the failure of an enhancement, otherwise `null`. */
  async function enhance(run: JobRun, prompt: string): Promise<ImageOutcome | null> {
    const call: AttemptedCall<Description> = {
      kind: 'enhance',
      index: 0,
      stage: 'enhancing',
      provider: enhancer.provider,
      model: enhancer.model,
      timeoutMs: callTimeoutMs,
      send: (context) => describe(run.job, prompt, context),
      record: (no, { text, providerRequestId, usage }) =>
        run.updateAttempt(
          no,
          {
            state: 'stored',
            finishedAt: deps.clock(),
            ...(providerRequestId ? { providerRequestId } : {}),
            ...knownCost(costOf(usage)),
          },
          (job) => ({ ...job, enhancedPrompt: text, ...ownUsage(job, usage) }),
        ),
      costOf: ({ usage }) => costOf(usage),
      afterFailure: withoutLostEnhancement,
    };
    try {
      await deps.attemptCall.make(run, call);
    } catch (error) {
      if (error instanceof ProviderError) return isEnhancement(run.job) ? failureOf(error) : null;
      if (!(error instanceof AppError) || error.code !== 'budget_exceeded') throw error;
      await run.update((job) => withoutEnhancement(job, error.code));
    }
    return null;
  }

  /** Returns whether a description is still needed, given that no earlier call is open. */
  function isDue(job: ImageJob, request: ImageRequest): boolean {
    if (job.enhancedPrompt !== undefined || !wantsEnhancement(request)) return false;
    const calls = job.attempts.filter(({ kind }) => kind === 'enhance');
    return calls.every(({ error }) => error === 'worker_lost') && (calls.length === 0 || allowsRetry(job));
  }

  /** Returns the failure of an enhancement that a block would delay until its caller has left; otherwise the block. */
  function blockOf(job: ImageJob, block: ImageOutcome | null): ImageOutcome | null {
    if (block?.kind !== 'wait' || !isEnhancement(job)) return block;
    const waitsUntilMs = job.createdAt + enhancementWaitSeconds * 1000;
    if (deps.clock() + block.delayMs < waitsUntilMs) return block;
    const error = jobError(shownCode(block.blocked?.code ?? 'internal'), 'none', { stage: 'enhancing' });
    return { kind: 'failed', error };
  }

  return async (run) => {
    const { request } = run.job;
    if (!request) return { prompt: '' };
    for (const { kind, state, no } of run.job.attempts) {
      if (kind === 'enhance' && state === 'calling') await recordLost(run, no);
    }
    if (isDue(run.job, request)) {
      const block = blockOf(run.job, await deps.checkBreaker(deps.scopes, 0));
      // If the account is rejected, the images fail for the same reason, so no warning is needed.
      if (block?.kind === 'wait' || (block && isEnhancement(run.job))) return { outcome: block };
      const failed = block || isHandingOver(run.signal) ? null : await enhance(run, request.prompt);
      if (failed) return { outcome: failed };
    }
    return { prompt: wrapPrompt(run.job, run.job.enhancedPrompt ?? request.prompt) };
  };
}

const wrapPrompt = ({ promptTemplate }: ImageJob, text: string) => promptTemplate?.join(text) ?? text;

/** Returns the failure of an enhancement, for the record. */
function failureOf({ failure }: ProviderError): ImageOutcome {
  const { code, billing, message, provider } = failure;
  const error = jobError(code, billing, { message, stage: 'enhancing', ...(provider ? { provider } : {}) });
  return { kind: 'failed', error };
}

/** Returns the tokens of an enhancement. Those of a job with images count its images. */
function ownUsage(job: ImageJob, usage: TokenUsage | null): Pick<ImageJob, 'usage'> {
  if (!usage || !isEnhancement(job)) return {};
  const { input_tokens, output_tokens, total_tokens } = usage;
  return { usage: { input_tokens, output_tokens, total_tokens } };
}

function withoutEnhancement(job: ImageJob, code: string): ImageJob {
  if (isEnhancement(job)) return job;
  const warning = `The prompt was not enhanced (${code}). Calls for images use the original prompt.`;
  const { warnings = [] } = job;
  return warnings.includes(warning) ? job : { ...job, warnings: [...warnings, warning] };
}

function tooLong(usage: TokenUsage | null): ProviderError {
  return new ProviderError({
    kind: 'unusable',
    code: 'provider_unusable_answer',
    billing: usage ? 'charged' : 'possible',
    message: 'The description is longer than the prompt limit of the image model.',
    spent: { usage },
  });
}
