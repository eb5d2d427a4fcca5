import { AppError } from '../../src/domain/errors.ts';
import type { CallName } from '../../src/domain/image.ts';
import { type ImageJob, missingImages } from '../../src/domain/image-job.ts';
import type { ImageRequest } from '../../src/domain/image-request.ts';
import { holdOf } from '../../src/domain/job-money.ts';
import type { ModelCatalogue } from '../../src/domain/model-catalogue.ts';
import type { DecodeResponse, FindDecoder, ImageProvider } from '../../src/domain/ports.ts';
import { createSemaphore } from '../../src/lib/semaphore.ts';
import { createTenantSlots, type TenantSlots } from '../../src/lib/tenant-slots.ts';
import { createFinalizeResponse } from '../../src/usecases/generation/finalize-response.ts';
import { createGeneration } from '../../src/usecases/generation/index.ts';
import { createUploadImage } from '../../src/usecases/generation/upload-image.ts';
import type { FetchInputs } from '../../src/usecases/inputs/fetch-inputs.ts';
import type { UpdateJob } from '../../src/usecases/jobs/update-job.ts';
import { builtInCatalogue } from './catalogue.ts';
import { createdAt, idleMeter, noSafety, queuedJob, retention, silentLog } from './jobs.ts';
import { memoryBreaker, memorySpool, memoryStorage, memoryWorkerRuns } from './memory-ports.ts';
import {
  decodeScripted,
  describeScripted,
  type ScriptedDescription,
  type ScriptedResponse,
  scriptedEnhancer,
  scriptedProvider,
} from './scripted-provider.ts';
import { singleRecord } from './single-record.ts';

interface Given {
  readonly request?: Partial<ImageRequest>;
  /** Results of the provider calls, in sequence. */
  readonly responses?: readonly ScriptedResponse[];
  /** Results of the language model calls, in sequence. */
  readonly descriptions?: readonly ScriptedDescription[];
  readonly onUncertain?: 'retry' | 'fail';
  readonly onQuota?: 'wait' | 'fail';
  readonly maxPaidAttempts?: number;
  /** Number of images that are uploaded while their responses arrive. */
  readonly maxEarlyUploads?: number;
  /** Number of refusals before the storage accepts an image. */
  readonly storageRefusals?: number;
  /** Name of the provider of new calls. Default `studio`. */
  readonly provider?: string;
  /** A real provider instead of the scripted one. */
  readonly realProvider?: ImageProvider;
  readonly catalogue?: ModelCatalogue;
  /** Decoders of further providers. */
  readonly decoders?: Readonly<Record<string, DecodeResponse>>;
  /** Called while a response waits for its memory slot. */
  readonly beforeMemorySlot?: () => Promise<void>;
  /** Fetches the inputs that are URLs. Default: all inputs are stored. */
  readonly fetchInputs?: FetchInputs;
  /** Slots of jobs that fetch. Default: free. */
  readonly fetchSlots?: TenantSlots;
  /** Number of runs that ended with each process that is gone. Default 1. */
  readonly endedWith?: Readonly<Record<string, number>>;
  /** Maximum hold of the job after a further call. Default: unlimited. */
  readonly maxHoldMicroUsd?: number;
  /** How long the tenant stays throttled. Default 0. */
  readonly throttledForMs?: number;
}

/**
 * Creates one job and all parts that generate its images, over scripted ports in memory. Tests use it for the decisions
 * between the ports, because real parts would only be slower.
 */
export function generation(given: Given = {}) {
  const clock = testClock();
  const record = singleRecord(queuedJob({ request: given.request ?? {} }));
  const { provider, calls } = scriptedProvider(given.provider ?? 'studio', given.responses ?? []);
  const { enhancer, enhancements } = scriptedEnhancer(given.descriptions ?? []);
  const spool = memorySpool();
  const storage = memoryStorage(given.storageRefusals ?? 0);
  const breaker = memoryBreaker(clock.now);
  const memorySlots = createSemaphore(1);
  const useCases = createUseCases(given, {
    ...{ clock: clock.now, updateJob: record.update, records: { get: async () => record.job() } },
    ...{ provider: given.realProvider ?? provider, enhancer },
    workerRuns: memoryWorkerRuns(given.endedWith ?? {}),
    ...{ spool: spool.spool, storage: storage.storage, breaker: breaker.breaker },
    async withMemorySlot(work, signal) {
      await given.beforeMemorySlot?.();
      return memorySlots(work, signal);
    },
  });
  const keyOf = (attemptNo: number) => {
    const { tenant, id } = record.job();
    return { tenant, jobId: id, attemptNo };
  };

  /** Performs one run, as a worker does. */
  const run = (signal: AbortSignal = new AbortController().signal) => {
    const { tenant, id } = record.job();
    return useCases.runJob({ tenant, id }, signal);
  };

  return {
    calls,
    enhancements,
    stored: storage.stored,
    /** Keys of all stored images. A key occurs once per upload. */
    puts: storage.puts,
    spooled: spool.spooled,
    faults: faultsOf({ spool, storage, breaker, store: record }),
    blocked: breaker.blocked,
    /** Scopes that were checked against the circuit breaker before each call. */
    scopesChecked: breaker.scopesChecked,
    /** The only memory slot for an image from the spool. */
    memorySlots,
    ...useCases,
    job: record.job,
    /** Changes the record, as other processes do. */
    set: record.set,
    /** Stores a response in the spool, as a worker does that crashes after a paid call. */
    spoolBody: (attemptNo: number, text = 'image from before', provider = 'studio') =>
      spool.store(keyOf(attemptNo), { head: { provider }, bytes: Buffer.from(text) }),
    /** Stores the response of a call in the spool, as releases do that name the call. */
    spoolResponse({ no, index, startedAt }: CallName, text = 'image from before') {
      const head = { provider: 'studio', index, startedAt };
      spool.store(keyOf(no), { head, bytes: Buffer.from(text) });
    },
    /** Stores a spooled response with a version that only a newer release knows. */
    spoolUnknown: (attemptNo: number) => spool.store(keyOf(attemptNo), { version: 2 }),
    passTime: clock.pass,
    run,
    /** Performs runs, as a worker does, as long as the job waits for a call that pays again. */
    async runPaidCalls() {
      let result = await run();
      while (waitsForPaidCall(record.job())) result = await run();
      return result;
    },
  };
}

/** Whether a job waits for a call that pays again. */
function waitsForPaidCall(job: ImageJob): boolean {
  const lastCalls = missingImages(job).map((index) => job.attempts.findLast((each) => each.index === index));
  return (
    job.status === 'running' &&
    lastCalls.some((each) => each?.state === 'uncertain' || each?.state === 'unusable')
  );
}

/** Returns the faults of ports by their names. */
function faultsOf<Ports extends Record<string, { readonly faults: unknown }>>(ports: Ports) {
  const faults = Object.entries(ports).map(([name, port]) => [name, port.faults]);
  return Object.fromEntries(faults) as { [Name in keyof Ports]: Ports[Name]['faults'] };
}

/** Returns an update that refuses a hold that rises above the maximum. */
function withinBudget(updateJob: UpdateJob, maxHoldMicroUsd: number): UpdateJob {
  return (key, change, known) =>
    updateJob(
      key,
      (job) => {
        const after = change(job);
        const hold = after ? holdOf(after) : 0;
        if (hold > holdOf(job) && hold > maxHoldMicroUsd) throw new AppError('budget_exceeded');
        return after;
      },
      known,
    );
}

function testClock() {
  let nowMs = createdAt + 1_000;
  return {
    now: () => nowMs,
    pass(ms: number) {
      nowMs += ms;
    },
  };
}

type Deps = Parameters<typeof createGeneration>[0];
type Ports = Pick<
  Deps,
  | 'clock'
  | 'updateJob'
  | 'records'
  | 'provider'
  | 'enhancer'
  | 'spool'
  | 'storage'
  | 'breaker'
  | 'workerRuns'
  | 'withMemorySlot'
>;

function createUseCases(given: Given, ports: Ports) {
  const findDecoder: FindDecoder = (name) =>
    given.decoders?.[name] ?? (name === 'studio' ? decodeScripted : given.realProvider?.decode);
  const deps: Deps = {
    ...ports,
    updateWithinBudgets: withinBudget(ports.updateJob, given.maxHoldMicroUsd ?? Number.POSITIVE_INFINITY),
    cancelProviderCalls: async () => {},
    ...noSafety,
    throttle: { ...noSafety.throttle, throttledForMs: async () => given.throttledForMs ?? 0 },
    findDecoder,
    describeImage: describeScripted,
    fetchInputs: given.fetchInputs ?? (async (job) => [...(job.inputs ?? [])]),
    fetchSlots: given.fetchSlots ?? createTenantSlots({ max: 1, maxPerTenant: 1 }),
    catalogue: given.catalogue ?? builtInCatalogue(),
    estimate: () => null,
    tokenSamples: { record() {} },
    maxEarlyUploads: given.maxEarlyUploads ?? 1,
    shareImage: async () => {},
    policy: {
      onUncertain: given.onUncertain ?? 'retry',
      onQuota: given.onQuota ?? 'wait',
      maxPaidAttempts: given.maxPaidAttempts ?? 2,
    },
    random: () => 0,
    sleep: async () => {},
    meter: idleMeter,
    log: silentLog,
    retentionOf: () => retention,
  };
  const verbs = createGeneration(deps);
  const finalizeResponse = createFinalizeResponse({
    ...deps,
    recordTokens() {},
    uploadImage: createUploadImage(deps),
  });
  return { ...verbs, finalizeResponse };
}
