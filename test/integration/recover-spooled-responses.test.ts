import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { beginExecution } from '../../src/domain/job-moves.ts';
import type { ImageProvider } from '../../src/domain/ports.ts';
import { digestHex } from '../../src/lib/crypto/api-key-text.ts';
import { createPlaces } from '../../src/lib/semaphore.ts';
import { sleep } from '../../src/lib/sleep.ts';
import { createSpool } from '../../src/outbound/spool/spool.ts';
import { createFilesystemStorage } from '../../src/outbound/storage/filesystem.ts';
import { createSettleAnswer } from '../../src/usecases/generation/finalize-response.ts';
import { createHandInAnswers } from '../../src/usecases/generation/recover-spooled-responses.ts';
import { createStorePicture } from '../../src/usecases/generation/upload-image.ts';
import type { ChangeImage } from '../../src/usecases/jobs/update-job.ts';
import { builtInCatalogue } from '../support/catalogue.ts';
import { attemptOf, createdAt, idleMeter, queuedJob, retention, silentLog } from '../support/jobs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** The bytes of an answer are its picture. */
const decode: ImageProvider['decode'] = async (body) => {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  const bytes = Buffer.concat(parts);
  const picture = { bytes, sha256: digestHex(bytes), contentType: 'image/png', width: 1, height: 1 } as const;
  return { picture, usage: null, revisedPrompt: null };
};

/** A worker with the overtaken answer of one job for each tenant on its disk. */
async function workerWith(tenants: readonly string[]) {
  const folder = await temporaryFolder();
  const pictures = join(folder, 'pictures');
  const spool = createSpool(join(folder, 'spool'));
  const storage = createFilesystemStorage({ directory: pictures, signingKey: Buffer.alloc(32, 1) });
  const jobs = new Map<string, ImageJob>();
  for (const tenant of tenants) {
    const job = beginExecution(beginExecution(queuedJob({ tenant }), createdAt), createdAt + 1);
    jobs.set(tenant, { ...job, attempts: [attemptOf({ state: 'received', fence: 1 })] });
    const picture = (async function* () {
      yield Buffer.from(`picture of ${tenant}`);
    })();
    await spool.write({ tenant, jobId: job.id, attemptNo: 1 }, {}, picture);
  }
  const change: ChangeImage = async (tenant, _id, next) => {
    const job = jobs.get(tenant);
    const after = job ? next(job) : null;
    if (after) jobs.set(tenant, after);
    return after ?? job ?? null;
  };
  const shared = { storage, spool, change, clock: () => createdAt, log: silentLog };
  const settleAnswer = createSettleAnswer({
    ...shared,
    provider: { decode } as ImageProvider,
    storePicture: createStorePicture({ ...shared, sleep, random: Math.random, meter: idleMeter }),
    catalogue: builtInCatalogue(),
    inMemory: createPlaces(4),
    retentionOf: () => retention,
  });
  const records = { get: async (tenant: string) => jobs.get(tenant) ?? null };
  const handIn = createHandInAnswers({ ...shared, records, settleAnswer });
  return {
    pictures,
    statuses: () => tenants.map((tenant) => jobs.get(tenant)?.status),
    handIn: () => handIn(new AbortController().signal),
  };
}

describe('handing in', () => {
  it('is not held up by a picture that the storage refuses, which is handed in once it is taken', async () => {
    const worker = await workerWith(['acme', 'beta', 'gamma']);
    // Where the folder of a tenant should be stands a file, at which no picture of that tenant can be stored.
    await mkdir(worker.pictures);
    for (const tenant of ['acme', 'gamma']) await writeFile(join(worker.pictures, tenant), '');
    await worker.handIn();
    expect(worker.statuses()).toEqual(['running', 'succeeded', 'running']);
    for (const tenant of ['acme', 'gamma']) await rm(join(worker.pictures, tenant));
    await worker.handIn();
    expect(worker.statuses()).toEqual(['succeeded', 'succeeded', 'succeeded']);
  });
});
