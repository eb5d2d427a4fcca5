import type { Caller } from '../../domain/api-key.ts';
import { covers, type Scope } from '../../domain/api-key.ts';
import { AppError } from '../../domain/errors.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import type { MessageLimits, RpcId } from './limit-messages.ts';

/** One HTTP request to the MCP endpoint, as the tools see it. */
export interface McpCall {
  readonly caller: Caller;
  /** Public address of the service for this caller, for links. */
  readonly publicUrl: string;
  readonly origin: string | undefined;
  readonly requestId: string;
  readonly traceparent: string;
  /** Aborts when the caller disconnects or the process begins to stop, or with the AppError if the caller loses its access. */
  readonly gone: AbortSignal;
  /** Authenticates the caller again, with its latest rules. @throws AppError if it lost its access */
  readonly recheck: () => Promise<Caller>;
  /** Acquires a slot for a wait. Returns its release function, or `null` if the tenant gets none: a wait is a preference. */
  readonly enterWait: () => (() => void) | null;
  /** JSON-RPC requests of a batch that the limits of the caller refuse. */
  readonly refusals: MessageLimits['refusals'];
  /** Notes the job for the log line of the request. */
  readonly onJob: (job: Pick<ImageJob, 'id'>) => void;
}

/** Refuses a request of a batch above a limit. @throws AppError `too_many_requests`, or why nothing could be counted */
export function checkLimit({ refusals }: McpCall, rpcId: RpcId): void {
  const refusal = refusals.get(rpcId);
  if (refusal) throw refusal;
}

/** Refuses a caller that lost its access during a wait. @throws AppError such as `unauthorized` */
export function checkAccess({ gone }: McpCall): void {
  if (gone.reason instanceof AppError) throw gone.reason;
}

/** Refuses a tool that the key does not cover. @throws AppError `insufficient_scope` */
export function checkScope({ caller }: McpCall, scope: Scope): void {
  if (covers(caller.scopes, scope)) return;
  throw new AppError('insufficient_scope', { detail: `This tool needs a key with the scope ${scope}.` });
}
