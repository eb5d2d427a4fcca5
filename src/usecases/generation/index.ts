import type { ImageJob, Retention } from '../../domain/image-job.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type {
  CircuitBreaker,
  Clock,
  FindDecoder,
  ImageProvider,
  ImageStorage,
  JobStore,
  Log,
  Meter,
  PromptEnhancer,
  Spool,
} from '../../domain/ports.ts';
import type { CancelProviderCalls } from '../jobs/cancel-provider-calls.ts';
import type { UpdateJob } from '../jobs/update-job.ts';
import { createAttemptCall } from './attempt-call.ts';
import { scopeOfFailure, scopesOfCall } from './breaker-scopes.ts';
import { createCallProvider } from './call-provider.ts';
import { createCheckBreaker } from './check-breaker.ts';
import { createWithEarlyUpload } from './early-upload.ts';
import { createExpandPrompt } from './expand-prompt.ts';
import { createFinalizeResponse } from './finalize-response.ts';
import { createFinalizeRun } from './finalize-run.ts';
import { createGenerateImage } from './generate-image.ts';
import { createRecoverSpooledResponses } from './recover-spooled-responses.ts';
import { createResumeCall } from './resume-call.ts';
import type { UncertainPolicy } from './retry-decision.ts';
import { createRunJob } from './run-job.ts';
import { createSpoolResponse } from './spool-response.ts';
import { createUploadImage } from './upload-image.ts';

/** Dependencies of image generation. */
export interface GenerationDeps {
  readonly records: Pick<JobStore, 'get'>;
  readonly updateJob: UpdateJob;
  readonly cancelProviderCalls: CancelProviderCalls;
  /** The provider of new calls. */
  readonly provider: ImageProvider;
  readonly findDecoder: FindDecoder;
  readonly enhancer: PromptEnhancer;
  readonly breaker: CircuitBreaker;
  readonly spool: Spool;
  readonly storage: Pick<ImageStorage, 'put' | 'remove'>;
  readonly catalogue: ModelCatalogue;
  /** Limits the images in memory that come from the spool; `null` if the signal aborted before a slot was free. */
  readonly withMemorySlot: <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T | null>;
  /** Number of images in memory that are uploaded while their responses arrive. */
  readonly maxEarlyUploads: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** Resolves after the time, or at once if the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly meter: Meter;
  readonly log: Log;
  readonly retentionOf: (job: ImageJob) => Retention;
  readonly policy: UncertainPolicy & { readonly onQuota: 'fail' | 'wait' };
}

/** Creates the verbs of this group: running a job, and recovering paid responses from the spool of this worker. */
export function createGeneration(deps: GenerationDeps) {
  const { provider, enhancer, spool, storage, catalogue, clock, random, sleep, meter, log, policy } = deps;
  const { records, updateJob, cancelProviderCalls, findDecoder, breaker, retentionOf } = deps;
  const uploadImage = createUploadImage({ storage, sleep, random, meter, log });
  const finalizeResponse = createFinalizeResponse({
    findDecoder,
    spool,
    storage,
    uploadImage,
    updateJob,
    catalogue,
    withMemorySlot: deps.withMemorySlot,
    clock,
    log,
    retentionOf,
  });
  const finalizeRun = createFinalizeRun(finalizeResponse);
  const withEarlyUpload = createWithEarlyUpload({ provider, uploadImage }, deps.maxEarlyUploads);
  const attemptCall = createAttemptCall({ breaker, catalogue, clock, random, meter, log });
  const checkBreaker = createCheckBreaker({ breaker, clock, onQuota: policy.onQuota });
  const callProvider = createCallProvider({
    provider,
    attemptCall,
    spoolResponse: createSpoolResponse({ spool, providerName: provider.name, clock }),
    catalogue,
  });
  const canDecode = (name: string) => findDecoder(name) !== undefined;
  const resumeCall = createResumeCall({
    callProvider,
    finalizeRun,
    withEarlyUpload,
    spool,
    canDecode,
    clock,
  });
  const targetOf = ({ request }: ImageJob) => ({ provider: provider.name, model: request?.model ?? '' });
  const generateImage = createGenerateImage({
    callProvider,
    resumeCall,
    finalizeRun,
    withEarlyUpload,
    checkBreaker,
    scopesOf: (job) => scopesOfCall(targetOf(job), catalogue),
    scopeOfFailure: (job, failure) => scopeOfFailure(failure, targetOf(job), catalogue),
    spool,
    random,
    policy,
  });
  const expandPrompt = createExpandPrompt({
    enhancer,
    attemptCall,
    checkBreaker,
    scopes: scopesOfCall(enhancer, catalogue),
    catalogue,
    clock,
    policy,
  });
  return {
    /** Runs a job. */
    runJob: createRunJob({
      records,
      updateJob,
      cancelProviderCalls,
      expandPrompt,
      generateImage,
      sleep,
      clock,
      meter,
      log,
      retentionOf,
    }),
    /** Recovers paid responses from the spool of this worker. */
    recoverSpooledResponses: createRecoverSpooledResponses({
      records,
      updateJob,
      findDecoder,
      spool,
      storage,
      finalizeResponse,
      clock,
      log,
    }),
  };
}
export type Generation = ReturnType<typeof createGeneration>;
