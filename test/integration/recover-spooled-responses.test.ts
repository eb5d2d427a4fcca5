import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { beginRun } from '../../src/domain/job-moves.ts';
import type { DecodeResponse } from '../../src/domain/ports.ts';
import { digestHex } from '../../src/lib/crypto/api-key-text.ts';
import { createSemaphore } from '../../src/lib/semaphore.ts';
import { sleep } from '../../src/lib/sleep.ts';
import { createSpool } from '../../src/outbound/spool/spool.ts';
import { createFilesystemStorage } from '../../src/outbound/storage/filesystem/filesystem-storage.ts';
import { createFinalizeResponse } from '../../src/usecases/generation/finalize-response.ts';
import { createRecoverSpooledResponses } from '../../src/usecases/generation/recover-spooled-responses.ts';
import { createUploadImage } from '../../src/usecases/generation/upload-image.ts';
import type { UpdateJob } from '../../src/usecases/jobs/update-job.ts';
import { builtInCatalogue } from '../support/catalogue.ts';
import { attemptOf, createdAt, idleMeter, queuedJob, retention, silentLog } from '../support/jobs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Uses the bytes of a response as its image. */
const decode: DecodeResponse = async (body) => {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  const bytes = Buffer.concat(parts);
  const image = { bytes, sha256: digestHex(bytes), contentType: 'image/png', width: 1, height: 1 } as const;
  return { image, usage: null, revisedPrompt: null };
};

const findDecoder = (name: string) => (name === 'studio' ? decode : undefined);

/** Creates a worker whose disk holds an overtaken response of one job for each tenant. */
async function workerWith(tenants: readonly string[]) {
  const folder = await temporaryFolder();
  const images = join(folder, 'images');
  const spool = createSpool(join(folder, 'spool'));
  const storage = createFilesystemStorage({ directory: images, signingKey: Buffer.alloc(32, 1) });
  const jobs = new Map<string, ImageJob>();
  for (const tenant of tenants) {
    const job = beginRun(beginRun(queuedJob({ tenant }), createdAt), createdAt + 1);
    jobs.set(tenant, { ...job, attempts: [attemptOf({ state: 'received', fence: 1 })] });
    const image = (async function* () {
      yield Buffer.from(`image of ${tenant}`);
    })();
    await spool.write({ tenant, jobId: job.id, attemptNo: 1 }, { provider: 'studio' }, image);
  }
  const updateJob: UpdateJob = async ({ tenant }, next) => {
    const job = jobs.get(tenant);
    const after = job ? next(job) : null;
    if (after) jobs.set(tenant, after);
    return after ?? job ?? null;
  };
  const shared = { storage, spool, updateJob, clock: () => createdAt, log: silentLog };
  const finalizeResponse = createFinalizeResponse({
    ...shared,
    findDecoder,
    uploadImage: createUploadImage({ ...shared, sleep, random: Math.random, meter: idleMeter }),
    shareImage: async () => {},
    catalogue: builtInCatalogue(),
    recordTokens() {},
    withMemorySlot: createSemaphore(4),
    retentionOf: () => retention,
  });
  const records = { get: async (tenant: string) => jobs.get(tenant) ?? null };
  const recoverSpooled = createRecoverSpooledResponses({
    ...shared,
    findDecoder,
    records,
    finalizeResponse,
    catalogue: builtInCatalogue(),
  });
  return {
    images,
    statuses: () => tenants.map((tenant) => jobs.get(tenant)?.status),
    recoverSpooled: () => recoverSpooled(new AbortController().signal),
  };
}

describe('recovery of spooled responses', () => {
  it('recovers past an image that the storage refuses, and stores it once the storage accepts it', async () => {
    const worker = await workerWith(['acme', 'beta', 'gamma']);
    // A file instead of the folder of the tenant makes every upload of that tenant fail.
    await mkdir(worker.images);
    for (const tenant of ['acme', 'gamma']) await writeFile(join(worker.images, tenant), '');
    await worker.recoverSpooled();
    expect(worker.statuses()).toEqual(['running', 'succeeded', 'running']);
    for (const tenant of ['acme', 'gamma']) await rm(join(worker.images, tenant));
    await worker.recoverSpooled();
    expect(worker.statuses()).toEqual(['succeeded', 'succeeded', 'succeeded']);
  });
});
