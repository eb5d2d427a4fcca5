import { AppError, errorRow } from '../domain/errors.ts';
import type { ImageJob } from '../domain/image-job.ts';
import { enterStage } from '../domain/image-job.ts';
import type { ModelCatalogue } from '../domain/model-catalogue.ts';
import {
  type AnswerHead,
  type CallContext,
  type Clock,
  type ImageProvider,
  type Log,
  type Meter,
  ProviderError,
  type ProviderFailure,
  type ProviderGate,
  type Spool,
  type StopReason,
} from '../domain/ports.ts';
import { providerDelayMs } from '../domain/retry-schedule.ts';
import type { Execution } from './execution.ts';
import { pictureParameters } from './picture-parameters.ts';
import type { StoreAhead, StoringAhead } from './store-ahead.ts';

interface Deps {
  provider: ImageProvider;
  gate: ProviderGate;
  spool: Spool;
  storeAhead: StoreAhead;
  catalogue: ModelCatalogue;
  clock: Clock;
  random: () => number;
  meter: Meter;
  log: Log;
}

const defaultCallTimeoutSeconds = 600;

/** The lane of the account, and the lane of one model in it. */
export const accountLane = 'account';
export const modelLane = (model: string) => `model:${model}`;

/**
 * The paid part: a ledger row, one call, the answer on disk, the next ledger row. Nothing else happens between the row
 * and the socket, so that a death at any moment is told from the row.
 */
export function createCallProvider(deps: Deps) {
  function contextOf(execution: Execution, no: number): CallContext {
    const { job } = execution;
    const found = deps.catalogue.find(job.request?.model ?? '');
    return {
      signal: execution.signal,
      timeoutMs: (found?.call_timeout_s ?? defaultCallTimeoutSeconds) * 1000,
      clientRequestId: `${job.id}-${no}`,
      traceparent: job.traceparent,
      onHandle: (handle) => execution.moveAttempt(no, { handle }),
    };
  }

  /**
   * Runs a call whose row is written, and moves the row on with what became of it. An answer is safe once it is on the
   * disk or its picture in the storage, whichever comes first.
   *
   * @returns what was done with the answer on its way; to be ended by the caller.
   * @throws ProviderError
   */
  async function follow(
    execution: Execution,
    { no, index }: { no: number; index: number },
    work: (
      context: CallContext,
      sink: (head: AnswerHead, body: AsyncIterable<Uint8Array>) => Promise<void>,
    ) => Promise<AnswerHead>,
  ): Promise<StoringAhead> {
    const { job } = execution;
    const key = { tenant: job.tenant, jobId: job.id, attemptNo: no };
    const model = deps.catalogue.find(job.request?.model ?? '')?.id ?? 'other';
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    let ourFault = false;
    let noted: Promise<void> = Promise.resolve();
    const ahead = deps.storeAhead(job, { no, index }, execution.signal);
    try {
      const head = await work(contextOf(execution, no), (answerHead, body) => {
        let arrived = false;
        const arriving = followedBy(body, () => {
          arrived = true;
          noted = noteArrival(execution, no, answerHead);
        });
        const written = deps.spool.write(key, answerHead, ahead.watch(arriving));
        // Nobody reads on for a disk that failed. After the last byte the storage may still take the picture.
        written.catch(() => arrived || ahead.end());
        return anyOf(written, ahead.stored());
      }).catch((error) => {
        if (isTold(error)) throw error;
        ourFault = true;
        deps.log.error({ err: error, job_id: job.id, attempt: no }, 'an answer could not be kept');
        throw keptNothing(error);
      });
      deps.meter.providerCall('generate', model, 'ok', seconds());
      deps.meter.stageDone('generating', seconds());
      await deps.gate.open(accountLane);
      await noted;
      if (!ahead.isStored()) await unlessOver(execution.moveAttempt(no, received(head, deps.clock())));
      return ahead;
    } catch (error) {
      ahead.end();
      if (!(error instanceof ProviderError)) throw error;
      if (error.failure.kind === 'uncertain' && goesOn(execution, no, ourFault)) {
        deps.meter.providerCall('generate', model, 'handed_on', seconds());
        throw error;
      }
      deps.meter.providerCall('generate', model, error.failure.code, seconds());
      await noteFailure(execution, no, error.failure);
      throw error;
    }
  }

  /** Notes that the last byte is here, while the answer is brought to safety. */
  function noteArrival(execution: Execution, no: number, head: AnswerHead): Promise<void> {
    const move = execution.moveAttempt(no, nameOf(head), (current) =>
      enterStage(withoutRefusals(current), 'storing', deps.clock()),
    );
    const noted = unlessOver(move);
    noted.catch(() => {}); // heard of when it is waited for, unless the call fails before
    return noted;
  }

  /** Writes down what became of a call that brought no picture, and closes the lanes that it concerns. */
  async function noteFailure(execution: Execution, no: number, failure: ProviderFailure): Promise<void> {
    const requestId = failure.provider?.request_id;
    // Cut off by our own leaving: that is no failure of the provider, and a few deploys must not use up its attempts.
    const isCutOff = failure.kind === 'uncertain' && isLeaving(execution.signal);
    await execution.moveAttempt(
      no,
      {
        state: stateAfter(failure),
        error: isCutOff ? 'worker_lost' : failure.code,
        finishedAt: deps.clock(),
        ...(requestId ? { providerRequestId: requestId } : {}),
      },
      (job) => (failure.kind === 'refused' ? { ...job, refusals: (job.refusals ?? 0) + 1 } : job),
    );
    deps.log.warn(
      {
        job_id: execution.job.id,
        attempt: no,
        code: failure.code,
        kind: failure.kind,
        provider: failure.provider,
      },
      'provider call brought no picture',
    );
    await closeLanes(execution.job, failure);
  }

  async function closeLanes(job: ImageJob, failure: ProviderFailure): Promise<void> {
    const { code } = failure;
    if (failure.kind === 'stopped') {
      deps.log.error({ code, provider: failure.provider }, 'the provider account is refused; calls rest');
      await deps.gate.suspect(accountLane, code);
    } else if (failure.kind === 'refused' && code === 'provider_rate_limited') {
      const delayMs = providerDelayMs(job.refusals ?? 1, failure.retryAfterMs, deps.random());
      await deps.gate.close(modelLane(job.request?.model ?? ''), {
        untilMs: deps.clock() + delayMs,
        code,
      });
    }
  }

  return {
    noteFailure,

    /** Pays for one picture. @returns the attempt whose answer is spooled, see `follow`. @throws ProviderError */
    async call(
      execution: Execution,
      index: number,
      prompt: string,
    ): Promise<{ no: number; ahead: StoringAhead }> {
      const { request } = execution.job;
      const no = await execution.openAttempt('generate', index, 'generating', deps.clock());
      const picture = { model: request?.model ?? '', prompt, parameters: pictureParameters(request) };
      const ahead = await follow(execution, { no, index }, (context, sink) =>
        deps.provider.generate(picture, context, sink),
      );
      return { no, ahead };
    },

    /** Takes up a call that a dead worker began. Costs nothing. @returns see `follow`. @throws ProviderError */
    resume(
      execution: Execution,
      attempt: { no: number; index: number },
      handle: string,
    ): Promise<StoringAhead> {
      return follow(execution, attempt, (context, sink) => {
        if (!deps.provider.resume) throw lostAnswer();
        return deps.provider.resume(handle, context, sink);
      });
    },
  };
}
export type CallProvider = ReturnType<typeof createCallProvider>;

/** The failure of a call that left no trace of its answer. */
export function lostAnswer(): ProviderError {
  return new ProviderError({
    kind: 'uncertain',
    code: 'provider_outcome_unknown',
    billing: 'possible',
    message: 'The call was sent, but its outcome is unknown. It may have been charged.',
  });
}

/** Whether an error says itself what became of a call: the provider's, and the record's when it refuses a change. */
const isTold = (error: unknown) =>
  error instanceof ProviderError || (error instanceof AppError && error.code !== 'storage_failed');

/** A call that failed on our side after it was sent: it may have been charged, and counts as such. */
function keptNothing(error: unknown): ProviderError {
  const code = error instanceof AppError ? error.code : 'internal';
  const message = `${errorRow(code).title}. The call may have been charged.`;
  return new ProviderError({ kind: 'uncertain', code, billing: 'possible', message }, error);
}

/**
 * Whether a call lives on at the provider: this execution is told to leave it to the next one, or it is only we who
 * could not keep its answer. Its row stays as it is, so that it is taken up again by its handle instead of paid again.
 */
function goesOn({ job, signal }: Execution, no: number, ourFault: boolean): boolean {
  const hasHandle = job.attempts.some((each) => each.no === no && each.handle !== undefined);
  return hasHandle && (isLeaving(signal) || (ourFault && !signal.aborted));
}

/** Whether a run was told to leave its job to the next one. */
function isLeaving(signal: AbortSignal): boolean {
  const reason = signal.aborted ? (signal.reason as StopReason) : undefined;
  return reason === 'draining' || reason === 'lock_lost';
}

function stateAfter(failure: ProviderFailure): 'rejected' | 'unusable' | 'uncertain' {
  if (failure.kind === 'unusable') return 'unusable';
  return failure.kind === 'uncertain' ? 'uncertain' : 'rejected';
}

/** The row of a call whose answer is on disk. */
export function received(head: AnswerHead, nowMs: number) {
  return { state: 'received' as const, receivedAt: nowMs, ...nameOf(head) };
}

const nameOf = ({ providerRequestId }: AnswerHead) => (providerRequestId ? { providerRequestId } : {});

/**
 * Lets a refused write pass where the record is not ours any more: it will hear of the answer when that is settled, and
 * what was stored of it ahead is dealt with there as well.
 */
async function unlessOver(write: Promise<void>): Promise<void> {
  await write.catch((error) => {
    if (!(error instanceof AppError) || error.code !== 'already_terminal') throw error;
  });
}

/** Resolves with the first success; where there is none, it fails as `main` does. */
async function anyOf(main: Promise<void>, other: Promise<void>): Promise<void> {
  await Promise.any([main, other]).catch(() => main);
}

async function* followedBy<T>(items: AsyncIterable<T>, then: () => void): AsyncGenerator<T, void, undefined> {
  yield* items;
  then();
}

function withoutRefusals(job: ImageJob): ImageJob {
  const { refusals: _refusals, ...rest } = job;
  return rest;
}
