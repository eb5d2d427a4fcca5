import { type AnswerHead, ProviderError, type ProviderFailure } from '../../../domain/ports.ts';
import { classifyBreak } from '../../../lib/openai-client/classify-failure.ts';
import type { Deadline } from '../../../lib/openai-client/deadline.ts';
import { sleep } from '../../../lib/sleep.ts';
import type { Finding } from './examine-response.ts';
import { failureOfResponse, forgottenResponse } from './response-failure.ts';

/** One question after a response: its answer, and what it showed. */
export interface Look {
  readonly head: AnswerHead;
  readonly finding: Finding;
}

interface Following {
  /** Asks once. @throws ProviderError */
  readonly look: () => Promise<Look>;
  readonly deadline: Deadline;
  readonly timeoutMs: number;
  /** Milliseconds before the question with this number, counted from 0. */
  readonly pauseMs: (question: number) => number;
}

/** A response that was only just made may be unknown for a moment. */
const mostUnknown = 3;
/** However long a refused question is asked to wait, the next one must come before the answer is forgotten. */
const longestWaitMs = 15_000;

/**
 * Asks after a response until it has ended or the deadline falls. Questions cost nothing, so any that fails is asked
 * again, whatever the reason; only a provider that keeps saying that it knows no such response is believed.
 *
 * @throws ProviderError
 */
export async function followResponse({ look, deadline, timeoutMs, pauseMs }: Following): Promise<AnswerHead> {
  let unknown = 0;
  let refusal: ProviderError | undefined;
  for (let question = 0; ; question += 1) {
    const waitMs = Math.min(refusal?.failure.retryAfterMs ?? 0, longestWaitMs);
    await sleep(Math.max(pauseMs(question), waitMs), deadline.signal);
    if (deadline.signal.aborted) throw brokenOff(deadline, timeoutMs, refusal);
    try {
      const { head, finding } = await look();
      if (finding.kind === 'delivered') return head;
      if (finding.kind === 'failed')
        throw ended(new ProviderError(failureOfResponse(finding.state, head.providerRequestId)));
      refusal = undefined;
      unknown = 0;
    } catch (error) {
      if (error instanceof Ended) throw error.cause;
      if (!(error instanceof ProviderError)) throw error;
      if (deadline.signal.aborted) throw brokenOff(deadline, timeoutMs, error);
      refusal = error;
      unknown = saysUnknown(error.failure) ? unknown + 1 : 0;
    }
  }
}
