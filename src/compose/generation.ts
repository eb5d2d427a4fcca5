import { createSemaphore } from '../lib/semaphore.ts';
import { sleep } from '../lib/sleep.ts';
import { createCallProvider } from '../usecases/generation/call-provider.ts';
import { createEarlyUpload } from '../usecases/generation/early-upload.ts';
import { createExpandPrompt } from '../usecases/generation/expand-prompt.ts';
import { createFinalizeResponse } from '../usecases/generation/finalize-response.ts';
import { createGenerateImage } from '../usecases/generation/generate-image.ts';
import { createRecoverSpooledResponses } from '../usecases/generation/recover-spooled-responses.ts';
import { createRunJob } from '../usecases/generation/run-job.ts';
import { createSpoolResponse } from '../usecases/generation/spool-response.ts';
import { createUploadImage } from '../usecases/generation/upload-image.ts';
import type { Jobs } from '../usecases/jobs/index.ts';
import type { Adapters } from './adapters.ts';
import { clock } from './clock.ts';
import { retentionOf } from './retention.ts';
import type { Root } from './root.ts';

/**
 * Images that one process holds in memory at the same time: this many that are decoded while they arrive, and as many
 * again that are read from the spool. Bounds memory for any number of running jobs.
 */
const maxImagesInMemory = 4;

/** Builds the verbs that turn a job into images. */
export function composeGeneration({ config, log }: Root, adapters: Adapters, jobs: Jobs) {
  const { provider, enhancer, catalogue, spool, storage, metrics: meter } = adapters;
  const { breaker, jobs: records } = adapters.records;
  const { updateJob: change, cancelProviderCalls } = jobs;
  const random = Math.random;
  const uploadImage = createUploadImage({ storage, sleep, random, meter, log });
  const finalizeResponse = createFinalizeResponse({
    provider,
    spool,
    storage,
    uploadImage,
    change,
    catalogue,
    inMemory: createSemaphore(maxImagesInMemory),
    clock,
    log,
    retentionOf: retentionOf(config),
  });
  const startEarlyUpload = createEarlyUpload({ provider, uploadImage }, maxImagesInMemory);
  const spoolResponse = createSpoolResponse({ provider, spool, startEarlyUpload, clock });
  const callProvider = createCallProvider({
    provider,
    breaker,
    spoolResponse,
    catalogue,
    clock,
    random,
    meter,
    log,
  });
  const generateImage = createGenerateImage({
    callProvider,
    finalizeResponse,
    catalogue,
    breaker,
    spool,
    clock,
    random,
    policy: {
      onUncertain: config.ON_UNCERTAIN,
      maxPaidAttempts: config.MAX_PAID_ATTEMPTS,
      onQuota: config.ON_QUOTA,
    },
  });
  const expandPrompt = createExpandPrompt({
    enhancer,
    catalogue,
    clock,
    meter,
    log,
    policy: { onUncertain: config.ON_UNCERTAIN },
  });
  return {
    runJob: createRunJob({
      records,
      change,
      cancelProviderCalls,
      expandPrompt,
      generateImage,
      sleep,
      clock,
      meter,
      log,
      retentionOf: retentionOf(config),
    }),
    recoverSpooledResponses: createRecoverSpooledResponses({
      records,
      change,
      spool,
      storage,
      finalizeResponse,
      clock,
      log,
    }),
  };
}
