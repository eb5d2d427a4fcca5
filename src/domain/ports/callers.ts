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
  /** The client says that this is a retry: it joins every undelivered job instead of orphans only. */
  readonly isRetry: boolean;
  readonly nowMs: number;
}

/** Where a response went. */
export type DeliveryOutcome =
  /** The caller has the response. */
  | 'delivered'
  /** The connection closed first: the job is an orphan now. */
  | 'disconnected'
  /** There is no job: it was refused, or its record is gone. */
  | 'refused';

export interface WaitingCallers {
  /**
   * Atomic across processes: joins the youngest fitting job of the group, or registers `jobId` as a new one. A job is an
   * orphan if its caller disconnected, or if its API process died, at most ten minutes ago. A retry also joins jobs that were
   * accepted in the last 30 minutes. A joined job has a caller again, so no other request joins it as an orphan.
   */
  claim(claim: JobClaim): Promise<{ readonly jobId: string; readonly isJoined: boolean }>;
  /** Ends the wait of a caller. Idempotent. */
  release(
    claim: Pick<JobClaim, 'tenant' | 'group' | 'jobId' | 'holder' | 'nowMs'>,
    outcome: DeliveryOutcome,
  ): Promise<void>;
}
