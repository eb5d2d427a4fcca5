/**
 * Callers that wait for a job on one connection and cannot name it, such as unmodified OpenAI clients. Equal requests of
 * one API key share a group. Within the group a repeated request joins a job whose response was not delivered.
 */

/** Claim of one request on a job. */
export interface JobClaim {
  readonly tenant: string;
  /** Digest of API key, route and body: requests with the same digest are equal. */
  readonly group: string;
  /** Id for the job if none is joined. */
  readonly jobId: string;
  /** Names the connection of the caller: its API process, a dot and a number. */
  readonly holder: string;
  /** Number of earlier tries of this request, if the client numbers its tries. A retry has one at least. */
  readonly earlierTries?: number | undefined;
  readonly nowMs: number;
}

/** End of a wait. */
export type DeliveryOutcome =
  /** The caller has the response. */
  | 'delivered'
  /** The connection closed first: the job is an orphan now. */
  | 'disconnected'
  /** The request was refused for now. The next try of a client that numbers its tries takes the place of this one. */
  | 'deferred'
  /** There is no job to join: the request was refused for good, or the job cannot give an image. */
  | 'refused';

/** A request that waits for the end of a job. */
export interface Waiter extends Pick<JobClaim, 'tenant' | 'holder'> {
  /** Name of what is waited for: a job, or an idempotency key whose job is not known yet. */
  readonly name: string;
}

export interface WaitingCallers {
  /**
   * Atomic across processes: joins the best fitting job of the group, the youngest of several, or registers `jobId` as a
   * new one. A job has one holder at a time: a join takes the job over. Jobs that fit, best first:
   *
   * 1. an orphan, whose caller disconnected or whose API process died: at most ten minutes ago, or for a retry if the job was
   *    accepted in the last 30 minutes
   * 2. for a retry: the place of an earlier try that was refused in the last two minutes
   * 3. for a retry: a job that an earlier try holds, because the connection of a client that has left may be open for this
   *    service. If it is held for less than the pause that the client makes before this retry, the claim waits for the rest
   *    of the pause: meanwhile the end of a connection may arrive, which tells the right job.
   */
  claim(claim: JobClaim): Promise<{ readonly jobId: string; readonly isJoined: boolean }>;
  /** Records the place of a request that was refused for now, before a claim. Does nothing if the client numbers no tries. */
  defer(claim: JobClaim): Promise<void>;
  /**
   * Ends the wait of a caller. Idempotent. Returns whether the caller still held the job.
   *
   * @param options.isUnconfirmed whether the result of the claim is unknown. A job that the claim joined is then an orphan.
   */
  release(
    claim: JobClaim,
    outcome: DeliveryOutcome,
    options?: { readonly isUnconfirmed?: boolean },
  ): Promise<boolean>;
  /** Records that a request waits. */
  enter(waiter: Waiter): Promise<void>;
  /** Ends the wait of a request. Returns how many requests of live processes still wait for the same. */
  leave(waiter: Waiter): Promise<number>;
}
