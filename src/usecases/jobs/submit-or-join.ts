import { billingOf } from '../../domain/attempt.ts';
import { AppError } from '../../domain/errors.ts';
import { type ImageJob, isTerminal } from '../../domain/image-job.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import type { DeliveryOutcome, WaitingCallers } from '../../domain/ports/callers.ts';
import type { Clock, Ids, Log } from '../../domain/ports.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
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
  /** The client says that it sends this request again. */
  readonly isRetry: boolean;
  /** Text that is equal for equal requests: route and canonical body without inputs. */
  readonly identity: string;
}

export interface SubmittedOrJoined {
  readonly job: ImageJob;
  readonly isJoined: boolean;
  /** Reports where the response went. Never rejects. */
  readonly report: (outcome: Exclude<DeliveryOutcome, 'refused'>) => Promise<void>;
}

/** A job is joined if it may still give an image, gave one, or may have cost something. */
const isWorthJoining = ({ status, attempts }: ImageJob) =>
  !isTerminal(status) || status === 'succeeded' || billingOf(attempts) !== 'none';

/** State of the job of a joined claim. `missing`: the first caller has not written the record yet, or died before. */
type JoinedJob = ImageJob | 'missing' | 'useless';

/**
 * Submits a request, or joins the job of an equal request whose response was not delivered. The claim is registered
 * before the job is submitted, so that the death of this process at any moment leaves a job that can be joined. A claim
 * can therefore be younger than its record. The request that joins such a claim submits the job under the same id, and the
 * store accepts one of both submissions. The same holds for a submission that the store did not confirm.
 */
export function createSubmitOrJoin(deps: Deps) {
  let connections = 0;

  async function release(
    held: { tenant: string; group: string; jobId: string; holder: string },
    outcome: DeliveryOutcome,
    trace: Pick<Submission, 'requestId' | 'traceparent'>,
  ): Promise<void> {
    await deps.callers.release({ ...held, nowMs: deps.clock() }, outcome).catch((error) => {
      const names = logFieldsOf({ ...trace, id: held.jobId, tenant: held.tenant });
      deps.log.warn({ err: error, ...names }, 'delivery of a response not recorded');
    });
  }

  async function findJoined(tenant: string, jobId: string): Promise<JoinedJob> {
    try {
      const job = await deps.getJob.get(tenant, jobId);
      return isWorthJoining(job) ? job : 'useless';
    } catch (error) {
      if (error instanceof AppError && error.code === 'not_found') return 'missing';
      if (error instanceof AppError && error.code === 'erased') return 'useless';
      throw error;
    }
  }

  return async function submitOrJoin(submission: JoinableSubmission): Promise<SubmittedOrJoined> {
    const { caller, isRetry, identity, ...rest } = submission;
    if (rest.idempotencyKey !== undefined) {
      const { job, replayed } = await deps.submitJob.submit({ caller, ...rest });
      return { job, isJoined: replayed, report: async () => {} };
    }
    const { tenant } = caller;
    const inputs = (rest.inputs ?? []).map((each) => canonicalJson(identityOfInput(each)));
    const group = deps.keyedDigest([caller.keyId, identity, ...inputs].join(' '));
    const { requestId, traceparent } = rest;
    const trace = { requestId, traceparent };
    connections += 1;
    const holder = `${deps.process}.${connections}`;
    for (;;) {
      const nowMs = deps.clock();
      const claim = { tenant, group, jobId: deps.ids.job(nowMs), holder, isRetry, nowMs };
      const { jobId, isJoined } = await deps.callers.claim(claim);
      const held = { tenant, group, jobId, holder };
      const report = (outcome: DeliveryOutcome) => release(held, outcome, trace);
      if (isJoined) {
        const joined = await findJoined(tenant, jobId);
        if (joined === 'useless') {
          await report('refused');
          continue;
        }
        if (joined !== 'missing') return { job: joined, isJoined, report };
      }
      try {
        const { job, replayed } = await deps.submitJob.submit({ caller, ...rest, id: jobId });
        return { job, isJoined: replayed, report };
      } catch (error) {
        // The store may have written the job without confirming it. A repeated request submits it again under the same id.
        const isUnconfirmed = error instanceof AppError && error.code === 'store_unavailable';
        await report(isUnconfirmed ? 'disconnected' : 'refused');
        throw error;
      }
    }
  };
}
export type SubmitOrJoin = ReturnType<typeof createSubmitOrJoin>;
