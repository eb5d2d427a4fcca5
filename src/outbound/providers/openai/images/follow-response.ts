import { ProviderError, type ProviderFailure, type ResponseMeta } from '../../../../domain/ports.ts';
import type { Deadline } from '../../../../lib/deadline.ts';
import { sleep } from '../../../../lib/sleep.ts';
import { classifyBreak } from '../client/classify-break.ts';
import type { Finding } from './inspect-response.ts';
import { failureOfResponse, forgottenResponse } from './response-failure.ts';

/** The response of a poll is too large. It is not polled again, because it stays too large. */
export class TooLargeResponse extends ProviderError {}

interface Following {
  /** Polls the response once. @throws ProviderError, of type `TooLargeResponse` if no further poll can succeed. */
  readonly poll: () => Promise<{ head: ResponseMeta; finding: Finding }>;
  readonly deadline: Deadline;
  readonly timeoutMs: number;
  /** Milliseconds before the poll with this number, counted from 0. */
  readonly pauseMs: (poll: number) => number;
  /** Milliseconds from the first of consecutive polls without the response after which it counts as lost. */
  readonly lostAfterMs: number;
}

/** Minimum number of consecutive polls without the response after which it counts as lost. */
const minUnknown = 3;
/** Maximum wait after a refused poll, whatever it requests. The next poll must precede the deletion of the response. */
const longestWaitMs = 15_000;

/**
 * Polls a response until it has ended or the deadline is over. A failed poll is repeated whatever the reason, because polls
 * cost nothing. A response counts as lost only if several consecutive polls do not find it over some time: a new response
 * may be unknown for more than half a minute, above all after a stream.
 *
 * @throws ProviderError
 */
export async function followResponse(following: Following): Promise<ResponseMeta> {
  const { poll, deadline, timeoutMs, pauseMs, lostAfterMs } = following;
  let unknown = 0;
  let unknownSince = 0;
  let refusal: ProviderFailure | undefined;
  for (let count = 0; ; count += 1) {
    const requestedWaitMs = Math.min(refusal?.retryAfterMs ?? 0, longestWaitMs);
    await sleep(Math.max(pauseMs(count), requestedWaitMs), deadline.signal);
    if (deadline.signal.aborted) throw brokenOff(deadline, timeoutMs, refusal);

    const seen = await poll().catch(providerErrorOnly);
    if (!(seen instanceof ProviderError)) {
      const { head, finding } = seen;
      if (finding.kind === 'delivered') return head;
      if (finding.kind === 'failed')
        throw new ProviderError(failureOfResponse(finding.state, head.providerRequestId));
      [refusal, unknown] = [undefined, 0];
      continue;
    }
    if (seen instanceof TooLargeResponse) throw seen;
    // The previous failure counts if the deadline aborted this poll, because an aborted poll has no information.
    refusal = (deadline.signal.aborted && refusal) || seen.failure;
    // A forbidden poll, for example by a firewall, does not say whether the response exists.
    const isUnknown = refusal.kind === 'final' && refusal.provider?.status !== 403;
    unknown = isUnknown ? unknown + 1 : 0;
    if (unknown === 1) unknownSince = performance.now();
    const isLost = unknown >= minUnknown && performance.now() - unknownSince >= lostAfterMs;
    if (isLost) throw new ProviderError(forgottenResponse(refusal.provider), seen);
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
