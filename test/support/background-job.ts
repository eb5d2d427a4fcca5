import { join } from 'node:path';
import { AppError } from '../../src/domain/errors.ts';
import type { ImageJob } from '../../src/domain/image-job.ts';
import type { ImageProvider, ImageRecords, Spool } from '../../src/domain/ports.ts';
import { createProviderGate } from '../../src/outbound/records/circuit-breaker.ts';
import { createKeys } from '../../src/outbound/records/keys.ts';
import { createSpool } from '../../src/outbound/spool/spool.ts';
import { createCallProvider } from '../../src/usecases/generation/call-provider.ts';
import { createStoreAhead } from '../../src/usecases/generation/early-upload.ts';
import { createExpandPrompt } from '../../src/usecases/generation/expand-prompt.ts';
import { createSettleAnswer } from '../../src/usecases/generation/finalize-response.ts';
import { createMakePicture } from '../../src/usecases/generation/generate-image.ts';
import { createGenerateImage } from '../../src/usecases/generation/run-job.ts';
import { createKeepAnswer } from '../../src/usecases/generation/spool-response.ts';
import { createStorePicture } from '../../src/usecases/generation/upload-image.ts';
import { createAbandonCalls } from '../../src/usecases/jobs/cancel-provider-calls.ts';
import { createChangeImage } from '../../src/usecases/jobs/update-job.ts';
import { backgroundStudio } from './background-calls.ts';
import { builtInCatalogue } from './catalogue.ts';
import { connectCore } from './core.ts';
import { queuedJob } from './jobs.ts';
import { temporaryFolder } from './temporary-folder.ts';

/**
 * One job whose pictures are made in the background: the real records, provider, studio, spool and storage, without a
 * queue, so that a test says when the job runs and what breaks.
 */
export async function backgroundJob(prompt: string) {
  const core = await connectCore();
  const { studio, provider } = await backgroundStudio();
  const disk = createSpool(join(await temporaryFolder(), 'spool'));
  const faults = {
    /** Answers that the disk does not take. */
    spoolWrites: 0,
    /** Changes that the store does not take. */
    changes: 0,
    /** Happens between the arrival of a handle and its entry in the ledger. */
    beforeHandle: async () => {},
  };
  const spool: Spool = {
    ...disk,
    async write(key, head, body) {
      if (faults.spoolWrites-- > 0) throw new AppError('storage_failed');
      await disk.write(key, head, body);
    },
  };
  const records: ImageRecords = {
    ...core.records,
    async update(...given) {
      if (faults.changes-- > 0) throw new AppError('store_unavailable');
      return core.records.update(...given);
    },
  };
  const watched: ImageProvider = {
    ...provider,
    generate: (call, context, sink) =>
      provider.generate(
        call,
        {
          ...context,
          onHandle: async (handle) => {
            await faults.beforeHandle();
            await context.onHandle?.(handle);
          },
        },
        sink,
      ),
  };

  const shared = {
    ...core,
    abandonCalls: createAbandonCalls({ ...core, provider: watched }),
    records,
    provider: watched,
    spool,
    random: () => 0,
    catalogue: builtInCatalogue(),
  };
  const change = createChangeImage(shared);
  const gate = createProviderGate(core.redis, createKeys(core.prefix), core.clock);
  const storePicture = createStorePicture({ ...shared, sleep: async () => {} });
  const settleAnswer = createSettleAnswer({ ...shared, storePicture, change, inMemory: (work) => work() });
  const makePicture = createMakePicture({
    ...shared,
    gate,
    callProvider: createCallProvider({
      ...shared,
      gate,
      keepAnswer: createKeepAnswer({
        ...shared,
        storeAhead: createStoreAhead({ ...shared, storePicture }, 1),
      }),
    }),
    settleAnswer,
    policy: { onUncertain: 'retry', maxPaidAttempts: 2, onQuota: 'fail' },
  });
  const enhancer = { model: 'gpt-5.4-mini', enhance: () => Promise.reject(new Error('not wanted here')) };
  const generateImage = createGenerateImage({
    sleep: async () => {},
    ...shared,
    change,
    expandPrompt: createExpandPrompt({ ...shared, enhancer, policy: { onUncertain: 'retry' } }),
    makePicture,
  });

  const queued = queuedJob({ request: { prompt, quality: 'low' } });
  const { tenant, id } = queued;
  await core.records.submit({ job: queued, maxOpenJobs: 10 });
  return {
    faults,
    provider,
    spool: disk,
    /** One execution, as a worker does it. */
    run: (stop = new AbortController().signal) => generateImage({ tenant, id }, stop),
    async job(): Promise<ImageJob> {
      return (await core.records.get(tenant, id)) ?? queued;
    },
    /** Changes the record behind the back of whoever runs the job. */
    async set(next: (job: ImageJob) => ImageJob): Promise<void> {
      await core.records.update(tenant, id, (job) => ({ job: next(job) }));
    },
    passTime: core.passTime,
    /** The calls that reached the provider, by what they are. */
    seen(what: 'orders' | 'cancellations') {
      const fits = what === 'orders' ? /^\/v1\/responses$/ : /\/cancel$/;
      return studio.calls.filter(({ path }) => fits.test(path));
    },
    chargedImages: studio.chargedImages,
  };
}
