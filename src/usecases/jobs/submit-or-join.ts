import { billingOf } from '../../domain/attempt.ts';
import { AppError, errorRow } from '../../domain/errors.ts';
import { type ImageJob, isTerminal } from '../../domain/image-job.ts';
import { isMediaGone } from '../../domain/job-deadlines.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import type { DeliveryOutcome, JobClaim, Waiter, WaitingCallers } from '../../domain/ports/callers.ts';
import type { Clock, Ids, Log } from '../../domain/ports.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { idle } from '../../lib/sleep.ts';
import type { GetJob } from './get-job.ts';
import { identityOfInput } from './submission.ts';
import type { Submission, SubmitJob } from './submit-job.ts';

interface Deps {
  callers: WaitingCallers;
  submitJob: Pick<SubmitJob, 'submit'>;
  getJob: Pick<GetJob, 'get'>;
  ids: Pick<Ids, 'job'>;
  /** Keyed digest, base64url: group names outlive their jobs and must not confirm a guessed prompt. */
  keyedDigest: (text: string) => string;
  /** Name of this API process, different after every start. */
  process: string;
  clock: Clock;
  log: Log;
}

/** A request of a client that cannot name its job. */
export interface JoinableSubmission extends Submission {
  /** Number of earlier tries of this request, if the client numbers its tries. */
  readonly earlierTries?: number | undefined;
  /** Text that is equal for equal requests: route and canonical body without inputs. */
  readonly identity: string;
  /** Acquires what the wait needs. Called once, before the submission. @throws AppError that refuses the request */
  readonly admit: () => void;
  /** Whether the callers of the job are counted, which `withdraw` needs. */
  readonly countsCallers: boolean;
}

export interface SubmittedOrJoined {
  readonly job: ImageJob;
  readonly isJoined: boolean;
  /** Reports where the response went. Never rejects. */
  readonly report: (outcome: Extract<DeliveryOutcome, 'delivered' | 'disconnected'>) => Promise<void>;
  /**
   * Ends the wait of a caller who left, instead of `report`. Returns whether the job can be canceled: it has not ended, and
   * no other request waits for it or has joined it. No request joins the job then. Never rejects.
   */
  readonly withdraw: () => Promise<boolean>;
}

/** A job is joined if it may still give an image or gave one, or if it failed and may have cost something. */
function isWorthJoining(job: ImageJob, nowMs: number): boolean {
  const { status, attempts, cancelRequestedAt } = job;
  if (isMediaGone(job, nowMs) || status === 'canceled') return false;
  if (!isTerminal(status)) return cancelRequestedAt === undefined;
  return status === 'succeeded' || billingOf(attempts) !== 'none';
}

type Trace = Pick<Submission, 'requestId' | 'traceparent'>;

/** Clients repeat a request after one or two seconds. The end of its first try must be recorded before. */
const outagePauseMs = 250;
/** Repetitions for a minute. */
const maxRepetitions = 240;

/** Repeats work that failed in an outage of the store. Never rejects. */
async function repeatInOutage(attempt: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < maxRepetitions; i++) {
    await idle(outagePauseMs);
    const error = await attempt().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof AppError && error.code === 'store_unavailable')) return;
  }
}

/** State of the job of a joined claim. `missing`: the first caller has not written the record yet, or died before. */
type JoinedJob = ImageJob | 'missing' | 'useless';

/** Returns the end of a wait for a job that was not submitted. */
function outcomeOf(error: unknown): DeliveryOutcome {
  if (!(error instanceof AppError)) return 'deferred';
  // The store may have written the job without confirming it. A repeated request submits it again under the same id.
  if (error.code === 'store_unavailable') return 'disconnected';
  return errorRow(error.code).retryable ? 'deferred' : 'refused';
}

/**
 * Submits a request, or joins the job of an equal request whose response was not delivered. The claim is registered
 * before the job is submitted, so that the death of this process at any moment leaves a job that can be joined. A claim
 * can therefore be younger than its record. The request that joins such a claim submits the job under the same id, and the
 * store accepts one of both submissions. The same holds for a submission that the store did not confirm.
 */
export function createSubmitOrJoin(deps: Deps) {
  let connections = 0;

  /**
   * Ends a wait. During an outage of the store it is ended later, for a minute at most. Returns whether the caller is
   * known to have held the job until now. Never rejects.
   */
  async function release(
    claim: JobClaim,
    outcome: DeliveryOutcome,
    { isUnconfirmed = false, ...trace }: Trace & { readonly isUnconfirmed?: boolean },
  ): Promise<boolean> {
    const ended = { ...claim, nowMs: deps.clock() };
    const attempt = () => deps.callers.release(ended, outcome, { isUnconfirmed });
    return attempt().catch((error) => {
      const names = logFieldsOf({ ...trace, id: claim.jobId, tenant: claim.tenant });
      deps.log.warn({ err: error, ...names }, 'delivery of a response not recorded, retrying');
      void repeatInOutage(attempt);
      return false;
    });
  }

  /** Records that a request waits. Returns a function that ends the wait and returns whether no other request waits. */
  async function enter(
    waiter: Waiter,
    { countsCallers }: JoinableSubmission,
  ): Promise<() => Promise<boolean>> {
    if (!countsCallers) return async () => false;
    await deps.callers.enter(waiter);
    return () =>
      deps.callers.leave(waiter).then(
        (others) => others === 0,
        () => false,
      );
  }

  /** Refuses a request that this process cannot admit. Its next try then joins no job of another caller. */
  async function admit({ admit: acquire }: JoinableSubmission, claim: JobClaim): Promise<void> {
    try {
      acquire();
    } catch (error) {
      if (outcomeOf(error) === 'deferred') await deps.callers.defer(claim).catch(() => {});
      throw error;
    }
  }

  async function findJoined(tenant: string, jobId: string): Promise<JoinedJob> {
    try {
      const job = await deps.getJob.get(tenant, jobId);
      return isWorthJoining(job, deps.clock()) ? job : 'useless';
    } catch (error) {
      if (error instanceof AppError && error.code === 'not_found') return 'missing';
      if (error instanceof AppError && error.code === 'erased') return 'useless';
      throw error;
    }
  }

  /** Returns whether a job has ended, so that an equal request may join it for its images. */
  const hasEnded = ({ tenant, id }: ImageJob) =>
    deps.getJob.get(tenant, id).then(
      ({ status }) => isTerminal(status),
      () => false,
    );

  /** Submits a request with an Idempotency-Key. The store joins it to the job of that key. */
  async function submitKeyed(
    submission: JoinableSubmission,
    { idempotencyKey, holder }: { readonly idempotencyKey: string; readonly holder: string },
  ): Promise<SubmittedOrJoined> {
    const {
      earlierTries: _tries,
      identity: _identity,
      admit: acquire,
      countsCallers: _counts,
      ...rest
    } = submission;
    acquire();
    // The name is that of the key, because a caller that leaves now could cancel the job before its id is known here.
    const name = `key:${deps.keyedDigest(idempotencyKey)}`;
    const leave = await enter({ tenant: rest.caller.tenant, name, holder }, submission);
    try {
      const { job, replayed } = await deps.submitJob.submit(rest);
      const report = async () => void (await leave());
      return { job, isJoined: replayed, report, withdraw: leave };
    } catch (error) {
      await leave();
      throw error;
    }
  }

  /** Claims a job for a request: a new one, or one that is worth joining. */
  async function claimJob(newClaim: () => JobClaim, trace: Trace) {
    for (;;) {
      const wanted = newClaim();
      const { jobId, isJoined } = await deps.callers.claim(wanted).catch(async (error) => {
        // The store may run the claim later. It then must not hold a job for this request, which is over.
        await release(wanted, 'deferred', { ...trace, isUnconfirmed: true });
        throw error;
      });
      const claim = { ...wanted, jobId };
      try {
        const joined = isJoined ? await findJoined(wanted.tenant, jobId) : 'missing';
        if (joined !== 'useless') return { claim, joined };
      } catch (error) {
        await release(claim, outcomeOf(error), trace);
        throw error;
      }
      await release(claim, 'refused', trace);
    }
  }

  return async function submitOrJoin(submission: JoinableSubmission): Promise<SubmittedOrJoined> {
    const { caller, earlierTries, identity, admit: _admit, countsCallers: _counts, ...rest } = submission;
    const { requestId, traceparent, idempotencyKey } = rest;
    const { tenant } = caller;
    const trace = { requestId, traceparent };
    connections += 1;
    const holder = `${deps.process}.${connections}`;
    if (idempotencyKey !== undefined) return submitKeyed(submission, { idempotencyKey, holder });
    const inputs = (rest.inputs ?? []).map((each) => canonicalJson(identityOfInput(each)));
    const group = deps.keyedDigest([caller.keyId, identity, ...inputs].join(' '));
    const newClaim = (): JobClaim => {
      const nowMs = deps.clock();
      return { tenant, group, jobId: deps.ids.job(nowMs), holder, earlierTries, nowMs };
    };
    await admit(submission, newClaim());
    const { claim, joined } = await claimJob(newClaim, trace);
    let leave = async () => false;
    try {
      leave = await enter({ tenant, name: claim.jobId, holder }, submission);
      const { job, replayed } =
        joined === 'missing'
          ? await deps.submitJob.submit({ caller, ...rest, id: claim.jobId })
          : { job: joined, replayed: true };
      return {
        job,
        isJoined: replayed,
        async report(outcome) {
          await Promise.all([leave(), release(claim, outcome, trace)]);
        },
        async withdraw() {
          const isAlone = (await leave()) && !(await hasEnded(job));
          const held = await release(claim, isAlone ? 'refused' : 'disconnected', trace);
          return isAlone && held;
        },
      };
    } catch (error) {
      await Promise.all([leave(), release(claim, outcomeOf(error), trace)]);
      throw error;
    }
  };
}
export type SubmitOrJoin = ReturnType<typeof createSubmitOrJoin>;
