import type { Estimate } from '../../domain/estimate.ts';
import type { ImageJob, Retention } from '../../domain/image-job.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type {
  CircuitBreaker,
  Clock,
  DescribeImage,
  FindDecoder,
  ImageProvider,
  ImageStorage,
  JobStore,
  Log,
  Meter,
  ModerationThrottle,
  PromptEnhancer,
  Spool,
  TokenSampleStore,
  WorkerRuns,
} from '../../domain/ports.ts';
import type { SharedBytes } from '../../lib/shared-bytes.ts';
import type { TenantSlots } from '../../lib/tenant-slots.ts';
import type { FetchInputs } from '../inputs/fetch-inputs.ts';
import type { CancelProviderCalls } from '../jobs/cancel-provider-calls.ts';
import type { UpdateJob } from '../jobs/update-job.ts';
import { createAttemptCall } from './attempt-call.ts';
import { optionsOwnerOf, scopeOfFailure, scopesOfCall } from './breaker-scopes.ts';
import { createCallProvider } from './call-provider.ts';
import { createCheckBreaker } from './check-breaker.ts';
import { createCheckThrottle } from './check-throttle.ts';
import { createWithEarlyUpload } from './early-upload.ts';
import { createExpandPrompt } from './expand-prompt.ts';
import { createFinalizeResponse, type FinalizeResponse } from './finalize-response.ts';
import { createFinalizeRun } from './finalize-run.ts';
import { createGenerateImage } from './generate-image.ts';
import { createRecordBlock } from './record-block.ts';
import { createRecordTokens } from './record-tokens.ts';
import { createRecoverSpooledResponses } from './recover-spooled-responses.ts';
import { createRecoverStoredImage } from './recover-stored-image.ts';
import { createRenewSpooledResponses } from './renew-spooled-responses.ts';
import { createResolveInputs } from './resolve-inputs.ts';
import { createResumeCall } from './resume-call.ts';
import type { UncertainPolicy } from './retry-decision.ts';
import { createRunJob } from './run-job.ts';
import type { SafetyIdentifierOf } from './safety-identifier.ts';
import { createSpoolResponse } from './spool-response.ts';
import { createStorePreviews } from './store-previews.ts';
import { createUploadImage, type UploadImage } from './upload-image.ts';

/** Dependencies of image generation. */
export interface GenerationDeps {
  readonly records: Pick<JobStore, 'get'>;
  readonly workerRuns: WorkerRuns;
  readonly updateJob: UpdateJob;
  /** Changes a job for a further call. @throws AppError `budget_exceeded` */
  readonly updateWithinBudgets: UpdateJob;
  readonly cancelProviderCalls: CancelProviderCalls;
  /** The provider of new calls. */
  readonly provider: ImageProvider;
  readonly findDecoder: FindDecoder;
  readonly describeImage: DescribeImage;
  readonly enhancer: PromptEnhancer;
  readonly breaker: CircuitBreaker;
  readonly safetyIdentifierOf: SafetyIdentifierOf;
  readonly throttle: ModerationThrottle;
  readonly spool: Spool;
  readonly storage: Pick<ImageStorage, 'put' | 'read' | 'remove'>;
  readonly fetchInputs: FetchInputs;
  /** Slots of jobs that fetch their inputs. */
  readonly fetchSlots: TenantSlots;
  readonly catalogue: ModelCatalogue;
  readonly estimate: Estimate;
  readonly tokenSamples: Pick<TokenSampleStore, 'record'>;
  /** Limits the images in memory that come from the spool; `null` if the signal aborted before a slot was free. */
  readonly withMemorySlot: <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T | null>;
  /** Number of images in memory that are uploaded while their responses arrive. */
  readonly maxEarlyUploads: number;
  /** Shares a stored image with callers of this process. */
  readonly shareImage: SharedBytes['share'];
  readonly clock: Clock;
  readonly random: () => number;
  /** Resolves after the time, or at once if the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly meter: Meter;
  readonly log: Log;
  readonly retentionOf: (job: ImageJob) => Retention;
  readonly policy: UncertainPolicy & { readonly onQuota: 'fail' | 'wait' };
}

/** Creates the verbs of this group: running a job, and renewing and recovering paid responses of this worker. */
export function createGeneration(deps: GenerationDeps) {
  const { records, updateJob, cancelProviderCalls, findDecoder, spool, storage } = deps;
  const { sleep, clock, meter, log, retentionOf } = deps;
  const uploadImage = createUploadImage({ storage, sleep, random: deps.random, meter, log });
  const finalizeResponse = composeFinalizeResponse(deps, uploadImage);
  const calling = composeCalling(deps);
  return {
    /** Runs a job. */
    runJob: createRunJob({
      records,
      workerRuns: deps.workerRuns,
      updateJob,
      updateWithinBudgets: deps.updateWithinBudgets,
      cancelProviderCalls,
      resolveInputs: createResolveInputs(deps),
      expandPrompt: composeExpandPrompt(deps, calling),
      generateImage: composeGenerateImage(deps, calling, { uploadImage, finalizeResponse }),
      sleep,
      clock,
      meter,
      log,
      retentionOf,
    }),
    /** Renews the wait of other workers for the paid responses in the spool of this worker. */
    renewSpooledResponses: createRenewSpooledResponses({ records, updateJob, spool, clock }),
    /** Recovers paid responses from the spool of this worker. */
    recoverSpooledResponses: createRecoverSpooledResponses({
      records,
      updateJob,
      findDecoder,
      spool,
      storage,
      finalizeResponse,
      catalogue: deps.catalogue,
      clock,
      log,
    }),
  };
}
export type Generation = ReturnType<typeof createGeneration>;

function composeFinalizeResponse(deps: GenerationDeps, uploadImage: UploadImage): FinalizeResponse {
  return createFinalizeResponse({
    findDecoder: deps.findDecoder,
    spool: deps.spool,
    storage: deps.storage,
    uploadImage,
    shareImage: deps.shareImage,
    updateJob: deps.updateJob,
    catalogue: deps.catalogue,
    recordTokens: createRecordTokens({ ...deps, samples: deps.tokenSamples }),
    withMemorySlot: deps.withMemorySlot,
    clock: deps.clock,
    log: deps.log,
    retentionOf: deps.retentionOf,
  });
}

/** Builds the steps that calls for images and for descriptions share. */
function composeCalling(deps: GenerationDeps) {
  const { breaker, catalogue, clock, random, meter, log, policy, safetyIdentifierOf } = deps;
  return {
    attemptCall: createAttemptCall({
      ...{ breaker, safetyIdentifierOf, catalogue, clock, random, meter, log },
      recordBlock: createRecordBlock({ throttle: deps.throttle, meter, log }),
    }),
    checkBreaker: createCheckBreaker({ breaker, clock, onQuota: policy.onQuota }),
  };
}
type Calling = ReturnType<typeof composeCalling>;

function composeExpandPrompt(deps: GenerationDeps, { attemptCall, checkBreaker }: Calling) {
  const { enhancer, catalogue, clock, policy } = deps;
  return createExpandPrompt({
    enhancer,
    attemptCall,
    checkBreaker,
    scopes: scopesOfCall(enhancer, catalogue),
    catalogue,
    clock,
    policy,
  });
}

function composeGenerateImage(
  deps: GenerationDeps,
  { attemptCall, checkBreaker }: Calling,
  { uploadImage, finalizeResponse }: { uploadImage: UploadImage; finalizeResponse: FinalizeResponse },
) {
  const { provider, spool, storage, catalogue, clock, random, sleep, policy, log } = deps;
  const callProvider = createCallProvider({
    provider,
    attemptCall,
    spoolResponse: createSpoolResponse({ spool, providerName: provider.name, clock }),
    storePreviews: createStorePreviews({ storage, sleep, clock, log }),
    storage,
    catalogue,
  });
  const finalizeRun = createFinalizeRun(finalizeResponse);
  const { shareImage } = deps;
  const withEarlyUpload = createWithEarlyUpload({ provider, uploadImage, shareImage }, deps.maxEarlyUploads);
  const targetOf = (job: ImageJob) => ({
    provider: provider.name,
    model: job.request?.model ?? '',
    optionsOf: optionsOwnerOf(job),
  });
  return createGenerateImage({
    callProvider,
    resumeCall: createResumeCall({
      callProvider,
      finalizeRun,
      recoverStoredImage: createRecoverStoredImage(deps),
      withEarlyUpload,
      spool,
      canDecode: (name) => deps.findDecoder(name) !== undefined,
      clock,
    }),
    finalizeRun,
    withEarlyUpload,
    checkBreaker,
    checkThrottle: createCheckThrottle(deps.throttle),
    scopesOf: (job) => scopesOfCall(targetOf(job), catalogue),
    scopeOfFailure: (job, failure) => scopeOfFailure(failure, targetOf(job), catalogue),
    spool,
    random,
    policy,
  });
}
