import { type ImageJob, isTerminal } from '../../domain/image-job.ts';
import type { ImageRequestFields } from '../../domain/image-request.ts';
import type { Clock, RequestedInput } from '../../domain/ports.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import type { Jobs } from '../../usecases/jobs/index.ts';
import { refuseErased } from '../../usecases/jobs/refuse-erased.ts';
import type { ToolContext } from './tool.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'submitJob'>;
  /** Digest that needs our secret. The name of a call outlives its job and must not confirm a guessed prompt. */
  readonly keyedDigest: (text: string) => string;
  readonly clock: Clock;
}

/** A call of a tool that creates a job. */
export interface JobCall {
  readonly body: ImageRequestFields;
  readonly inputs: readonly RequestedInput[];
  /** The key of the agent, if it sends one. */
  readonly idempotencyKey: string | undefined;
  /** All arguments, which identify a repeated call without a key. */
  readonly args: unknown;
}

const hourMs = 3_600_000;
/** Number of equal calls in an hour that can join a job. Each further call creates a job. */
const maxEqualCalls = 100;

/**
 * Submits the job of a tool call. Agents and their SDKs repeat calls that take long. A call with a key joins its job. A call
 * without one joins only a repetition with the same JSON-RPC id and arguments while its job runs, and otherwise creates
 * a job. The claim is atomic, so equal calls on several processes create one job.
 */
export function createSubmitOnce({ jobs, keyedDigest, clock }: Deps) {
  /** Returns the names of equal calls in an hour. Each job that has ended makes room for the next one. */
  function* keysOf({ call, rpcId }: ToolContext, args: unknown): Generator<string> {
    const hour = Math.floor(clock() / hourMs);
    const digest = keyedDigest(canonicalJson([call.caller.keyId, hour, rpcId, args]));
    for (let no = 1; no <= maxEqualCalls; no += 1) yield `mcp ${digest} ${no}`;
  }

  return async (context: ToolContext, { body, inputs, idempotencyKey, args }: JobCall): Promise<ImageJob> => {
    const { caller, requestId, traceparent, origin, recheck, onJob } = context.call;
    const submission = { caller, body, inputs, requestId, traceparent, origin, recheck };
    const submit = async (key: string | undefined) => {
      const accepted = await jobs.submitJob.submit({ ...submission, idempotencyKey: key });
      onJob(accepted.job);
      return accepted;
    };
    if (idempotencyKey !== undefined) {
      const { job } = await submit(idempotencyKey);
      refuseErased(job);
      return job;
    }
    for (const key of keysOf(context, args)) {
      const { job, replayed } = await submit(key);
      if (!replayed || !isTerminal(job.status)) return job;
    }
    return (await submit(undefined)).job;
  };
}
export type SubmitOnce = ReturnType<typeof createSubmitOnce>;
