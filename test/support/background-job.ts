import { join } from 'node:path';
import { AppError } from '../../src/domain/errors.ts';
import type { ImageJob } from '../../src/domain/image-job.ts';
import type { ImageProvider, JobStore, Spool } from '../../src/domain/ports.ts';
import { createTenantSlots } from '../../src/lib/tenant-slots.ts';
import type { Studio } from '../../src/local/studio/studio.ts';
import { describeImage } from '../../src/outbound/providers/describe-image.ts';
import { createCircuitBreaker } from '../../src/outbound/records/circuit-breaker.ts';
import { createKeys } from '../../src/outbound/records/keys.ts';
import { createWorkerRuns } from '../../src/outbound/records/worker-runs.ts';
import { createSpool } from '../../src/outbound/spool/spool.ts';
import { createGeneration } from '../../src/usecases/generation/index.ts';
import { createCancelProviderCalls } from '../../src/usecases/jobs/cancel-provider-calls.ts';
import { createUpdateJob } from '../../src/usecases/jobs/update-job.ts';
import { backgroundStudio } from './background-calls.ts';
import { builtInCatalogue } from './catalogue.ts';
import { connectCore } from './core.ts';
import { noSafety, queuedJob } from './jobs.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A handle that is in the ledger, and the number of polls until then. */
interface WrittenHandle {
  readonly written: string;
  readonly polls: number;
}

interface Faults {
  /** Number of responses that the disk refuses. */
  spoolWrites: number;
  /** Number of updates that the store refuses. */
  updates: number;
  /** Called between the arrival of a handle and its entry in the ledger. */
  beforeHandle: () => Promise<void>;
}

/**
 * Creates one job whose images are generated in the background. The records, provider, studio, spool and storage are
 * real. There is no queue, so the test decides when the job runs and which part fails.
 */
export async function backgroundJob(prompt: string, { maxEarlyUploads = 1 } = {}) {
  const core = await connectCore();
  const { studio, provider } = await backgroundStudio();
  const disk = createSpool(join(await temporaryFolder(), 'spool'));
  const faults: Faults = { spoolWrites: 0, updates: 0, beforeHandle: async () => {} };
  const spool = failingSpool(disk, faults);
  const records = failingRecords(core.records, faults);
  const { watched, handles } = watchHandles(provider, { faults, studio });
  const cancelProviderCalls = createCancelProviderCalls({ ...core, provider: watched });
  const updateJob = createUpdateJob({ ...core, records, cancelProviderCalls });
  const { runJob } = createGeneration({
    records,
    workerRuns: createWorkerRuns(core.redis, createKeys(core.prefix), 'worker-1'),
    ...{ updateJob, updateWithinBudgets: updateJob },
    cancelProviderCalls,
    provider: watched,
    ...{ findDecoder: () => provider.decode, describeImage, ...noSafety },
    enhancer: { provider: provider.name, model: 'gpt-5.4-mini', enhance: neverCalled },
    breaker: createCircuitBreaker(core.redis, createKeys(core.prefix), core.clock),
    ...{ spool, storage: core.storage },
    fetchInputs: async (job) => [...(job.inputs ?? [])],
    fetchSlots: createTenantSlots({ max: 1, maxPerTenant: 1 }),
    catalogue: builtInCatalogue(),
    ...{ estimate: () => null, tokenSamples: { record() {} } },
    withMemorySlot: (work) => work(),
    ...{ maxEarlyUploads, shareImage: async () => {} },
    ...{ clock: core.clock, meter: core.meter, log: core.log, retentionOf: core.retentionOf },
    ...{ random: () => 0, sleep: async () => {} },
    policy: { onUncertain: 'retry', maxPaidAttempts: 2, onQuota: 'fail' },
  });

  const queued = queuedJob({ request: { prompt, quality: 'low' } });
  const { tenant, id } = queued;
  await core.records.submit({ job: queued, maxOpenJobs: 10 });
  return {
    faults,
    provider,
    handles,
    spool: disk,
    /** Performs one run, as a worker does. */
    run: (stop = new AbortController().signal) => runJob({ tenant, id }, stop),
    async job(): Promise<ImageJob> {
      return (await core.records.get(tenant, id)) ?? queued;
    },
    /** Changes the record while another process may hold the lease of the job. */
    async set(next: (job: ImageJob) => ImageJob): Promise<void> {
      await core.records.update({ tenant, id }, (job) => ({ job: next(job) }));
    },
    passTime: core.passTime,
    /** Returns the calls of one kind that reached the provider. */
    seen(kind: 'submissions' | 'cancellations') {
      const fits = kind === 'submissions' ? /^\/v1\/responses$/ : /\/cancel$/;
      return studio.calls.filter(({ path }) => fits.test(path));
    },
    chargedImages: studio.chargedImages,
  };
}

const neverCalled = () => Promise.reject(new Error('no prompt is expanded here'));

function failingSpool(disk: Spool, faults: Faults): Spool {
  return {
    ...disk,
    async write(key, head, body) {
      if (faults.spoolWrites-- > 0) throw new AppError('storage_failed');
      await disk.write(key, head, body);
    },
  };
}

function failingRecords(records: JobStore, faults: Faults): JobStore {
  return {
    ...records,
    async update(...given) {
      if (faults.updates-- > 0) throw new AppError('store_unavailable');
      return records.update(...given);
    },
  };
}

/** Records the handles that enter the ledger. */
function watchHandles(
  provider: ImageProvider,
  { faults, studio }: { faults: Faults; studio: Pick<Studio, 'calls'> },
): { watched: ImageProvider; handles: readonly WrittenHandle[] } {
  const handles: WrittenHandle[] = [];
  const polls = () => studio.calls.filter(({ method }) => method === 'GET').length;
  const watched: ImageProvider = {
    ...provider,
    generate(call, context, sink) {
      const onHandle = async (handle: string) => {
        await faults.beforeHandle();
        await context.onHandle?.(handle);
        handles.push({ written: handle, polls: polls() });
      };
      return provider.generate(call, { ...context, onHandle }, sink);
    },
  };
  return { watched, handles };
}
