import { type Attempt, isCallFor } from '../../domain/attempt.ts';
import { type ErrorCode, errorRow } from '../../domain/errors.ts';
import { hasPicture, type ImageJob, jobError } from '../../domain/image-job.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import {
  type Clock,
  ProviderError,
  type ProviderFailure,
  type ProviderGate,
  type Spool,
} from '../../domain/ports.ts';
import { type CallProvider, lanesOf, lostAnswer } from './call-provider.ts';
import type { StoringAhead } from './early-upload.ts';
import type { SettleAnswer } from './finalize-response.ts';
import type { Execution } from './job-run.ts';
import { createTakeUpCall } from './resume-call.ts';
import { lookAgain, type PictureOutcome, type UncertainPolicy, verdictOn } from './retry-decision.ts';

interface Deps {
  callProvider: CallProvider;
  settleAnswer: SettleAnswer;
  catalogue: ModelCatalogue;
  gate: ProviderGate;
  spool: Spool;
  clock: Clock;
  random: () => number;
  policy: UncertainPolicy & { onQuota: 'fail' | 'wait' };
}

export type MakePicture = (execution: Execution, index: number, prompt: string) => Promise<PictureOutcome>;

/**
 * Makes one picture. What an earlier execution paid for is used first; a new call is made only where none is under way,
 * and repeated only where the last one provably was not accepted or a second payment is allowed.
 */
export function createMakePicture(deps: Deps): MakePicture {
  const settle = async (
    execution: Execution,
    attempt: Attempt,
    ahead?: StoringAhead,
  ): Promise<PictureOutcome> => {
    try {
      const done = await deps.settleAnswer(execution.job, attempt, execution.signal, {
        tell: execution.change,
        prepared: await ahead?.prepared(),
      });
      return { kind: done ? 'stored' : 'stopped' };
    } finally {
      ahead?.end();
    }
  };

  const takeUp = createTakeUpCall({ ...deps, settle });

  /** Why no call may be made now. */
  async function gateOutcome(job: ImageJob, index: number): Promise<PictureOutcome | null> {
    if (!(await deps.spool.hasRoom())) return lookAgain;
    const closed = await deps.gate.closedFor(lanesOf(job, deps.catalogue));
    if (!closed) return null;
    const isRefused = closed.code !== 'provider_rate_limited' && !closed.isProbed;
    if (isRefused && deps.policy.onQuota === 'fail') {
      return { kind: 'failed', error: refusedByGate(closed.code, index) };
    }
    return { kind: 'wait', delayMs: Math.max(1, closed.untilMs - deps.clock()) };
  }

  /** What follows from a failed call; `null` means another call. */
  async function judge(
    execution: Execution,
    index: number,
    failure: ProviderFailure,
  ): Promise<PictureOutcome | null> {
    const { job, signal } = execution;
    if (signal.aborted) return { kind: 'stopped' };
    if (failure.kind === 'stopped' && deps.policy.onQuota === 'wait') return gateOutcome(job, index);
    return verdictOn(failure, job, index, deps.policy, deps.random());
  }

  async function fresh(execution: Execution, index: number, prompt: string): Promise<PictureOutcome> {
    const closed = await gateOutcome(execution.job, index);
    if (closed) return closed;
    const called = await deps.callProvider.call(execution, index, prompt);
    if (!called) return { kind: 'stored' };
    const { no, ahead } = called;
    const attempt = execution.job.attempts.find((each) => each.no === no);
    if (attempt) return settle(execution, attempt, ahead);
    ahead.end();
    throw new Error(`attempt ${no} of ${execution.job.id} is not in its ledger`);
  }

  return async (execution, index, prompt) => {
    let hasFailedHere = false;
    while (!execution.signal.aborted) {
      try {
        const earlier = await takeUp(execution, index);
        if (earlier) return earlier;
        if (hasPicture(execution.job, index)) return { kind: 'stored' };
        // A dead worker may have paid without a trace: the rules for a call of unknown outcome apply.
        if (!hasFailedHere && isInDoubt(execution.job, index)) {
          const outcome = await judge(execution, index, lostAnswer().failure);
          if (outcome) return outcome;
        }
        return await fresh(execution, index, prompt);
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        hasFailedHere = true;
        const failure = await noteUnusable(execution, index, error.failure);
        if (livesOn(execution, index)) return lookAgain;
        const outcome = await judge(execution, index, failure);
        if (outcome) return outcome;
      }
    }
    return { kind: 'stopped' };
  };

  /**
   * An answer that turned out to hold no picture is noted when it is read, long after its call ended well.
   *
   * @returns the failure with what is known of that call
   */
  async function noteUnusable(
    execution: Execution,
    index: number,
    failure: ProviderFailure,
  ): Promise<ProviderFailure> {
    const read = execution.job.attempts.find((each) => each.index === index && each.state === 'received');
    if (!read) return failure;
    await deps.callProvider.noteFailure(execution, read.no, failure);
    const { providerRequestId: request_id } = read;
    return {
      ...failure,
      provider: { status: 200, ...(request_id ? { request_id } : {}), ...failure.provider },
    };
  }
}

/** Whether a call is still open after it failed here: it can be taken up by its handle. */
const livesOn = ({ job, signal }: Execution, index: number) =>
  !signal.aborted &&
  job.attempts.some(
    (each) => isCallFor(each, index) && each.state === 'calling' && each.handle !== undefined,
  );

/** Whether a call for the picture may have been paid although nothing came of it. */
const isInDoubt = ({ attempts }: ImageJob, index: number) =>
  attempts.some((each) => isCallFor(each, index) && ['uncertain', 'unusable', 'wasted'].includes(each.state));

function refusedByGate(code: ErrorCode, index: number) {
  const message = `${errorRow(code).title}. No call was made; one is tried again within five minutes.`;
  return jobError(code, 'none', { index, stage: 'generating', message });
}
