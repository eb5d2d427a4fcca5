import { ProviderError, type ProviderFailure, type ResponseMeta } from '../../../../domain/ports.ts';
import { sleep } from '../../../../lib/sleep.ts';
import { classifyBreak } from '../client/classify-failure.ts';
import type { Deadline } from '../client/deadline.ts';
import type { Finding } from './inspect-response.ts';
import { failureOfResponse, forgottenResponse } from './response-failure.ts';

interface Following {
  /** Asks once after the response. @throws ProviderError */
  readonly look: () => Promise<{ head: ResponseMeta; finding: Finding }>;
  readonly deadline: Deadline;
  readonly timeoutMs: number;
  /** Milliseconds before the question with this number, counted from 0. */
  readonly pauseMs: (question: number) => number;
}

/** A response that was only just made may be unknown for a moment. */
const maxUnknown = 3;
/** However long a refused question is asked to wait, the next one must come before the answer is forgotten. */
const longestWaitMs = 15_000;

/**
 * Asks after a response until it has ended or the deadline falls. Questions cost nothing, so one that fails is asked
 * again, whatever the reason; only a provider that keeps saying that it knows no such response is believed.
 *
 * @throws ProviderError
 */
export async function followResponse(following: Following): Promise<ResponseMeta> {
  const { look, deadline, timeoutMs, pauseMs } = following;
  let unknown = 0;
  let refusal: ProviderFailure | undefined;
  for (let question = 0; ; question += 1) {
    const askedToWaitMs = Math.min(refusal?.retryAfterMs ?? 0, longestWaitMs);
    await sleep(Math.max(pauseMs(question), askedToWaitMs), deadline.signal);
    if (deadline.signal.aborted) throw brokenOff(deadline, timeoutMs, refusal);

    const seen = await look().catch(providerErrorOnly);
    if (!(seen instanceof ProviderError)) {
      const { head, finding } = seen;
      if (finding.kind === 'delivered') return head;
      if (finding.kind === 'failed')
        throw new ProviderError(failureOfResponse(finding.state, head.providerRequestId));
      [refusal, unknown] = [undefined, 0];
      continue;
    }
    // A question that the deadline cut short tells nothing; the one before it may have.
    refusal = (deadline.signal.aborted && refusal) || seen.failure;
    // Too large an image would be too large the next time.
    if (refusal.kind === 'unusable' && refusal.provider?.status === 200) throw seen;
    unknown = refusal.kind === 'final' ? unknown + 1 : 0;
    if (unknown === maxUnknown) throw new ProviderError(forgottenResponse(refusal.provider), seen);
  }
}

function providerErrorOnly(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error;
  throw error;
}

function brokenOff(deadline: Deadline, timeoutMs: number, last: ProviderFailure | undefined): ProviderError {
  const reason = deadline.reason() ?? 'broken';
  return new ProviderError(classifyBreak({ sent: true, reason, timeoutMs, provider: last?.provider }));
}
