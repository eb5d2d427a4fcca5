import type { Attempt } from '../../src/domain/attempt.ts';
import { previewKeyOf, type StoredImage, type StoredPreview } from '../../src/domain/image.ts';
import { createJob, type ImageJob, type Retention } from '../../src/domain/image-job.ts';
import type { ImageRequest } from '../../src/domain/image-request.ts';
import { addImage, beginRun, enterStage, finish } from '../../src/domain/job-moves.ts';
import type { Log, Meter } from '../../src/domain/ports.ts';
import { ids } from '../../src/lib/ids.ts';

/** Default creation time of the jobs in tests. */
export const createdAt = Date.UTC(2026, 10, 23, 12, 0, 0);

export const retention: Retention = { mediaSeconds: 3600, recordSeconds: 7200 };

/** Returns a stored request: the given fields over the defaults of a deployment. */
export function requestOf(fields: Partial<ImageRequest> = {}): ImageRequest {
  return {
    prompt: 'A lighthouse in a storm, oil on canvas',
    model: 'gpt-image-2',
    n: 1,
    size: '1024x1024',
    enhance: 'off',
    priority: 'normal',
    queue_ttl_s: 600,
    run_timeout_s: 300,
    ...fields,
  };
}

/** Creates a queued job with a new id. */
export function queuedJob(
  given: { tenant?: string; nowMs?: number; request?: Partial<ImageRequest>; id?: string } = {},
): ImageJob {
  const nowMs = given.nowMs ?? createdAt;
  return createJob({
    id: given.id ?? ids.job(nowMs),
    tenant: given.tenant ?? 'acme',
    nowMs,
    request: requestOf(given.request),
  });
}

/** Returns one attempt of the ledger. */
export function attemptOf(fields: Partial<Attempt> = {}): Attempt {
  return { no: 1, kind: 'generate', index: 0, state: 'stored', fence: 1, startedAt: createdAt, ...fields };
}

/** Returns a stored image as it is in a record. */
export function imageOf(job: Pick<ImageJob, 'tenant' | 'id'>, index = 0): StoredImage {
  return {
    index,
    storageKey: `${job.tenant}/${job.id}/${index}.png`,
    contentType: 'image/png',
    width: 1024,
    height: 1024,
    sizeBytes: 1_482_934,
    sha256: 'a3'.repeat(32),
  };
}

/** Returns a stored preview as it is in a record. */
export function previewOf(
  job: Pick<ImageJob, 'tenant' | 'id'>,
  { index = 0, partial = 0, no = 1 }: { index?: number; partial?: number; no?: number } = {},
): StoredPreview {
  const storageKey = previewKeyOf(job, { index, no, startedAt: createdAt }, partial);
  return { ...imageOf(job, index), storageKey, partial };
}

/** A log that discards its lines. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** A meter that counts nothing. */
export const idleMeter: Meter = {
  submitted() {},
  jobFinished() {},
  stageDone() {},
  providerCall() {},
  imageStored() {},
  estimateError() {},
  ledgerArchived() {},
  tenantThrottled() {},
  webhookAttempt() {},
  recordUnreadable() {},
  billAboveHold() {},
  budgetRefused() {},
  holdRepaired() {},
};

/** Ports of a deployment that sends no safety identifier and throttles no tenant. */
export const noSafety = {
  safetyIdentifierOf: () => undefined,
  throttle: { recordBlock: async () => false, throttledForMs: async () => 0 },
};

/** Returns a finished job with one image, created by the usual transitions. */
export function finishedJob(queued: ImageJob): ImageJob {
  const at = queued.createdAt;
  const generating = enterStage(beginRun(queued, at + 120), 'generating', at + 121);
  const storing = enterStage(generating, 'storing', at + 14_310);
  const attempt = attemptOf({
    startedAt: at + 121,
    receivedAt: at + 14_310,
    finishedAt: at + 14_390,
    providerRequestId: 'req_2f1f0a6c9b8e4d55a7c3b1d0e9f8a7b6',
    costMicroUsd: 5_970,
  });
  const stored: ImageJob = {
    ...addImage(storing, imageOf(queued), at + 14_390),
    attempts: [attempt],
    usage: { input_tokens: 18, output_tokens: 196, total_tokens: 214 },
  };
  return finish(stored, 'succeeded', { nowMs: at + 14_400, retention });
}
