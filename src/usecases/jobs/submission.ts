import type { Caller } from '../../domain/api-key.ts';
import type { ImageRequestFields } from '../../domain/image-request.ts';
import type { IdempotencyClaim, RequestedInput } from '../../domain/ports.ts';
import { claimMarginMs, minClaimMs } from '../../domain/retention.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import type { RequestPolicy } from './prepare-request.ts';

/** A request as a caller submits it. */
export interface Submission {
  readonly caller: Caller;
  readonly body: ImageRequestFields;
  /** Inputs of an edit. The caller removes their temporary files. */
  readonly inputs?: readonly RequestedInput[] | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly parentId?: string | undefined;
  /** Identifies the request under its idempotency key, if it is neither a new request nor a retry. */
  readonly identity?: unknown;
  /** Id of the request, for the log lines of the job. */
  readonly requestId?: string | undefined;
  readonly traceparent?: string | undefined;
  readonly origin?: string | undefined;
  /** Id of the job if it is decided before the submission. */
  readonly id?: string | undefined;
  /** Authenticates the caller again. Called after the check of inputs, which may take long. @throws AppError if it is refused */
  readonly recheck?: (() => Promise<Caller>) | undefined;
  /** Changes to the request, and ignored fields, before the submission. */
  readonly warnings?: readonly string[] | undefined;
}

/** Identity of an idempotent submission: the body of a new request, or the parent of a retry. */
export type Named = Pick<Submission, 'caller' | 'idempotencyKey' | 'parentId' | 'inputs' | 'identity'> &
  Partial<Pick<Submission, 'body'>>;
export type KeyName = Pick<IdempotencyClaim, 'keyHash' | 'fingerprint'>;

interface Deps {
  /** SHA-256, base64url. */
  digest: (text: string) => string;
  /** Keyed digest (HMAC). It outlives its job and must not confirm a guessed input, so it needs our secret. */
  keyedDigest: (text: string) => string;
  policy: Pick<RequestPolicy, 'queueTtlSeconds' | 'runTimeoutSeconds' | 'maxRecordSeconds'>;
}

/** Creates the idempotency claims of submissions. */
export function createClaims(deps: Deps) {
  const { policy } = deps;

  /** Returns the hash of an idempotency key and the fingerprint of its request; `undefined` without a key. */
  function nameOf({ idempotencyKey, parentId, body, inputs, identity }: Named): KeyName | undefined {
    if (idempotencyKey === undefined) return undefined;
    // A retry is identified by its parent alone, because the body of the parent may be erased before the next try.
    // A new request is identified by the caller's body without defaults, because a deploy may change the defaults.
    const files = inputs?.length ? { inputs: inputs.map(identityOfInput) } : {};
    const usual =
      parentId === undefined ? { route: 'POST /images', body, ...files } : { route: 'retry', parentId };
    return {
      keyHash: deps.digest(idempotencyKey),
      fingerprint: deps.keyedDigest(canonicalJson(identity ?? usual)),
    };
  }

  function claimFor(submission: Submission): IdempotencyClaim | undefined {
    const { body } = submission;
    const name = nameOf(submission);
    const lifeSeconds =
      (body.queue_ttl_s ?? policy.queueTtlSeconds) +
      (body.run_timeout_s ?? policy.runTimeoutSeconds) +
      (body.retention?.record_s ?? policy.maxRecordSeconds);
    return name && { ...name, ttlMs: Math.max(minClaimMs, lifeSeconds * 1000 + claimMarginMs) };
  }

  return { nameOf, claimFor };
}

/** Returns what identifies an input in a repeated request. Files are identified by their content. */
export function identityOfInput({ role, index, from }: RequestedInput): unknown {
  return { role, index, ...(from.kind === 'file' ? { sha256: from.file.sha256 } : from) };
}
