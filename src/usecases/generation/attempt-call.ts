import type { Attempt } from '../../domain/attempt.ts';
import { AppError, errorRow } from '../../domain/errors.ts';
import type { ImageJob, JobStage } from '../../domain/image-job.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import {
  type CallContext,
  type CircuitBreaker,
  type Clock,
  type Log,
  type Meter,
  ProviderError,
  type ProviderFailure,
  type Spent,
} from '../../domain/ports.ts';
import { providerDelayMs } from '../../domain/retry-schedule.ts';
import { type CallTarget, optionsOwnerOf, scopeOfFailure, scopesOfCall } from './breaker-scopes.ts';
import { type FailedCall, withFailure } from './failed-attempt.ts';
import { isHandingOver, type JobRun } from './job-run.ts';
import type { RecordBlock } from './record-block.ts';
import type { SafetyIdentifierOf } from './safety-identifier.ts';

interface Deps {
  breaker: Pick<CircuitBreaker, 'open' | 'recordSuccess'>;
  safetyIdentifierOf: SafetyIdentifierOf;
  recordBlock: RecordBlock;
  catalogue: ModelCatalogue;
  clock: Clock;
  random: () => number;
  meter: Meter;
  log: Log;
}

/** A paid call of any kind, described by its caller. */
export interface AttemptedCall<Result> {
  /** `generate` or `enhance`; every further kind of paid call as well. */
  readonly kind: string;
  readonly index: number;
  /** Stage of the job during the call. */
  readonly stage: JobStage;
  readonly provider: string;
  /** The model that the provider runs. */
  readonly model: string;
  readonly timeoutMs: number;
  /** Number of requested previews, if the call requests any. */
  readonly partialImages?: number;
  /** Sends the request. The row is already written. */
  send(context: CallContext): Promise<Result>;
  /** Writes the result to the record. */
  record(no: number, result: Result): Promise<void>;
  /** Returns the cost of a failed call that reports its usage, in micro-USD. */
  costOf(spent: Spent): number | null;
  /** Further change of the job in the step that writes a failure. */
  afterFailure?(job: ImageJob, error: string): ImageJob;
}

/**
 * Runs one call of any kind under the ledger: a `calling` row, one call, the outcome row, metrics, circuit breaker.
 * No other step is between the row and the socket, so the row records the state at a crash at any moment.
 */
export function createAttemptCall(deps: Deps) {
  function contextOf(run: JobRun, no: number, timeoutMs: number): CallContext {
    return {
      signal: run.signal,
      timeoutMs,
      clientRequestId: `${run.job.id}-${no}`,
      traceparent: run.job.traceparent,
      safetyIdentifier: deps.safetyIdentifierOf(run.job),
      onHandle: (handle) => run.updateAttempt(no, { handle }),
    };
  }

  /** Sends a call whose row exists and records the outcome. @throws ProviderError */
  async function follow<Result>(run: JobRun, no: number, call: AttemptedCall<Result>): Promise<Result> {
    const startedAtMs = deps.clock();
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    const meter = (outcome: string) =>
      deps.meter.providerCall({ ...call, model: modelLabel(call) }, outcome, seconds());
    let isOwnFault = false;
    try {
      const result = await call.send(contextOf(run, no, call.timeoutMs)).catch((error) => {
        if (isClassified(error)) throw error;
        isOwnFault = true;
        deps.log.error({ err: error, ...logFieldsOf(run.job), attempt: no }, 'provider response not saved');
        throw lostHere(error);
      });
      meter('ok');
      deps.meter.stageDone(call.stage, seconds());
      // The row does not wait for the breaker, because a crash before the row may cost a second payment.
      await Promise.all([call.record(no, result), recordSuccess(targetOf(run.job, call), startedAtMs)]);
      return result;
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      if (error.failure.kind === 'uncertain' && isResumable(run, no, isOwnFault)) {
        meter('handed_on');
        throw error;
      }
      meter(error.failure.code);
      await recordFailure(run, no, { call, failure: error.failure });
      throw error;
    }
  }

  /** Metrics never carry names that callers invent. */
  function modelLabel({ model }: Pick<AttemptedCall<unknown>, 'model'>): string {
    return deps.catalogue.find(model)?.id ?? (deps.catalogue.textPrices(model) ? model : 'other');
  }

  /** Closes the breakers of the call. An unavailable store must not come between a paid response and its row. */
  async function recordSuccess(call: CallTarget, startedAtMs: number): Promise<void> {
    try {
      const closed = await deps.breaker.recordSuccess(scopesOfCall(call, deps.catalogue), startedAtMs);
      for (const scope of closed) deps.log.info({ scope }, 'circuit breaker closed');
    } catch (error) {
      deps.log.warn({ err: error }, 'circuit breaker not closed; other workers will recover by probe');
    }
  }

  /** Records a call that brought no result, and opens the circuit breakers of its scopes. */
  async function recordFailure(
    run: JobRun,
    no: number,
    { call, failure }: { call: FailedCall; failure: ProviderFailure },
  ): Promise<void> {
    // A call cut off by a shutdown is no failure of the provider. Otherwise a few deploys would use up its attempts.
    const isCutOff = failure.kind === 'uncertain' && isHandingOver(run.signal);
    const error = isCutOff ? 'worker_lost' : failure.code;
    const finishedAt = deps.clock();
    await run.update((job) => withFailure(job, no, { call, failure, error, finishedAt }));
    deps.log.warn(
      {
        ...logFieldsOf(run.job),
        attempt: no,
        kind: call.kind,
        provider: call.provider,
        model: call.model,
        failure: failure.kind,
        code: failure.code,
        response: failure.provider,
      },
      'provider call failed',
    );
    await deps.recordBlock(run.job, failure);
    await openBreaker(run.job, call, failure);
  }

  async function openBreaker(job: ImageJob, call: FailedCall, failure: ProviderFailure): Promise<void> {
    const { code, retryAfterMs } = failure;
    const scope = scopeOfFailure(failure, targetOf(job, call), deps.catalogue);
    if (scope === null) return;
    const facts = { ...logFieldsOf(job), scope, code, response: failure.provider };
    if (failure.kind === 'stopped') {
      deps.log.error(facts, 'circuit breaker opened');
      await deps.breaker.open(scope, { code });
    } else {
      const forMs = providerDelayMs(job.refusals ?? 1, retryAfterMs, deps.random());
      deps.log.warn({ ...facts, for_ms: forMs }, 'circuit breaker opened');
      await deps.breaker.open(scope, { code, forMs });
    }
  }

  return {
    recordFailure,

    /**
     * Makes one paid call.
     *
     * @returns the number of its row with the result; `null` if another process stored the image first.
     * @throws ProviderError
     */
    async make<Result>(
      run: JobRun,
      call: Omit<AttemptedCall<Result>, 'send'> & {
        /** @param row the row that was written for the call. */
        send(context: CallContext, row: Attempt): Promise<Result>;
      },
    ): Promise<{ no: number; result: Result } | null> {
      const { kind, index, stage, provider, model, partialImages } = call;
      const own = {
        ...(model === run.job.request?.model ? {} : { model }),
        ...(partialImages === undefined ? {} : { partialImages }),
      };
      const row = await run.openAttempt({ kind, index, stage, provider, ...own }, deps.clock());
      if (row === null) return null;
      const result = await follow(run, row.no, { ...call, send: (context) => call.send(context, row) });
      return { no: row.no, result };
    },

    /** Continues a call whose row an earlier run wrote. Free of charge. @throws ProviderError */
    resume: follow,
  };
}
export type AttemptCall = ReturnType<typeof createAttemptCall>;

/** Returns whether an error states the outcome of a call: the provider's, or the record's when it refuses a change. */
const isClassified = (error: unknown) =>
  error instanceof ProviderError || (error instanceof AppError && error.code !== 'storage_failed');

/** Returns the target of a call. Only calls for images carry the options of the caller. */
const targetOf = (
  job: ImageJob,
  { kind, provider, model }: Pick<AttemptedCall<unknown>, 'kind' | 'provider' | 'model'>,
): CallTarget => ({ provider, model, optionsOf: kind === 'enhance' ? undefined : optionsOwnerOf(job) });

/** Describes a call that failed on our side after it was sent: it may have been charged and counts as such. */
function lostHere(error: unknown): ProviderError {
  const code = error instanceof AppError ? error.code : 'internal';
  const message = `${errorRow(code).title}. The call may have been charged.`;
  return new ProviderError({ kind: 'uncertain', code, billing: 'possible', message }, error);
}

/**
 * Returns whether a call continues at the provider: this run hands it over, or only its response could not be saved. Its
 * row stays open, so that a later run resumes it by its handle instead of paying again.
 */
function isResumable({ job, signal }: JobRun, no: number, isOwnFault: boolean): boolean {
  const hasHandle = job.attempts.some((each) => each.no === no && each.handle !== undefined);
  return hasHandle && (isHandingOver(signal) || (isOwnFault && !signal.aborted));
}
