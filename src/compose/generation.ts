import { createKeyedDigest } from '../lib/crypto/keyed-digest.ts';
import { createSemaphore } from '../lib/semaphore.ts';
import { sleep } from '../lib/sleep.ts';
import { createTenantSlots } from '../lib/tenant-slots.ts';
import { describeImage } from '../outbound/providers/describe-image.ts';
import { findDecoder } from '../outbound/providers/registry.ts';
import { createGeneration } from '../usecases/generation/index.ts';
import { createSafetyIdentifier } from '../usecases/generation/safety-identifier.ts';
import type { Inputs } from '../usecases/inputs/index.ts';
import type { Jobs } from '../usecases/jobs/index.ts';
import type { Adapters } from './adapters.ts';
import { clock } from './clock.ts';
import { retentionOf } from './retention.ts';
import type { Root } from './root.ts';

/**
 * Maximum number of images in memory that one process decodes while they arrive. The same limit applies separately to
 * images that are read from the spool. Both limits bound memory for any number of running jobs.
 */
const maxImagesInMemory = 4;

/**
 * Creates the slots of jobs that fetch their inputs: half of the slots of jobs, of which one is for a second tenant. The
 * servers of callers may be slow, and jobs without addresses must not wait for them.
 */
function createFetchSlots(concurrency: number) {
  const max = Math.max(1, Math.floor(concurrency / 2));
  return createTenantSlots({ max, maxPerTenant: Math.max(1, max - 1) });
}

/** Builds the use cases that generate the images of a job. */
export function composeGeneration(
  { config, environment, log }: Root,
  adapters: Adapters,
  { jobs, inputs }: { readonly jobs: Jobs; readonly inputs: Inputs },
) {
  const { updateJob, updateWithinBudgets, cancelProviderCalls } = jobs;
  const { provider, catalogue, spool, storage, sharedImages, records, metrics } = adapters;
  return createGeneration({
    records: records.jobs,
    workerRuns: records.workerRuns,
    ...{ updateJob, updateWithinBudgets, cancelProviderCalls },
    provider: provider.images,
    // The decoder of the selected provider knows its key.
    findDecoder: (name) => (name === provider.images.name ? provider.images.decode : findDecoder(name)),
    describeImage,
    enhancer: provider.enhancer,
    breaker: records.breaker,
    throttle: records.throttle,
    safetyIdentifierOf: config.SEND_SAFETY_IDENTIFIER
      ? createSafetyIdentifier(createKeyedDigest(environment.secretsKey, 'darkroom safety identifier v1'))
      : () => undefined,
    spool,
    storage,
    fetchInputs: inputs.fetchInputs,
    fetchSlots: createFetchSlots(config.WORKER_CONCURRENCY),
    catalogue,
    estimate: adapters.estimate,
    tokenSamples: records.tokenSamples,
    withMemorySlot: createSemaphore(maxImagesInMemory),
    maxEarlyUploads: maxImagesInMemory,
    shareImage: sharedImages.share,
    clock,
    random: Math.random,
    sleep,
    meter: metrics,
    log,
    retentionOf: retentionOf(config),
    policy: {
      onUncertain: config.ON_UNCERTAIN,
      maxPaidAttempts: config.MAX_PAID_ATTEMPTS,
      onQuota: config.ON_QUOTA,
    },
  });
}
