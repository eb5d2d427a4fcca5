import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import type { ImageJob } from '../../src/domain/image-job.ts';
import type { JobInput } from '../../src/domain/input-image.ts';
import { createEraseJob, type EraseJob } from '../../src/usecases/jobs/erase-job.ts';
import { createEraseUpload } from '../../src/usecases/jobs/erase-upload.ts';
import { commandLine } from '../support/api-keys.ts';
import { type Core, connectCore } from '../support/core.ts';
import { finishedJob, queuedJob } from '../support/jobs.ts';

const uploadId = 'upl_photo';
const author = { tenant: 'acme', actor: commandLine };

async function madeFrom(core: Core, source: JobInput['source']): Promise<ImageJob> {
  const facts = { contentType: 'image/png', width: 64, height: 64, sizeBytes: 9, sha256: 'a3'.repeat(32) };
  const inputs = [{ role: 'image', index: 0, source, ...facts }] as const;
  const job = { ...queuedJob(), inputs: [...inputs] };
  await core.records.submit({ job, maxOpenJobs: 100 });
  return (await core.change(job, finishedJob)) ?? job;
}

/** Creates jobs from an upload: two edits of it, an edit of an edit, and an edit of that one. */
async function chain(core: Core): Promise<ImageJob[]> {
  const edits = [
    await madeFrom(core, { type: 'upload', uploadId }),
    await madeFrom(core, { type: 'upload', uploadId }),
  ];
  const second = await madeFrom(core, { type: 'image', imageId: edits[0]?.id ?? '', index: 0 });
  const third = await madeFrom(core, { type: 'image', imageId: second.id, index: 0 });
  return [...edits, second, third];
}

const eraseUploadOf = (core: Core, eraseJob: EraseJob) =>
  createEraseUpload({
    records: core.records,
    uploads: { remove: () => Promise.reject(new AppError('not_found', { detail: 'It has expired.' })) },
    eraseJob,
  });

const isErased = async (core: Core, { id }: ImageJob) =>
  (await core.records.get('acme', id))?.erasedAt !== undefined;

describe('erasing an upload with its jobs', () => {
  it.each([0, 1, 2, 3])(
    'finds every job that is left if it is repeated after the erasure of job %i failed',
    async (failing) => {
      const core = await connectCore();
      const jobs = await chain(core);
      const eraseJob = createEraseJob(core);
      const interrupted = eraseUploadOf(core, async (by, id) => {
        if (id === jobs[failing]?.id)
          throw new AppError('store_unavailable', { detail: 'Redis is unreachable.' });
        await eraseJob(by, id);
      });
      await expect(interrupted(author, uploadId)).rejects.toMatchObject({ code: 'store_unavailable' });

      await eraseUploadOf(core, eraseJob)(author, uploadId);
      expect(await Promise.all(jobs.map((job) => isErased(core, job)))).toEqual(jobs.map(() => true));
    },
  );

  it('erases a job that was accepted from an image before this image was erased', async () => {
    const core = await connectCore();
    const [first, ...others] = await chain(core);
    const eraseJob = createEraseJob(core);
    let late: ImageJob | undefined;
    const whileAccepting = eraseUploadOf(core, async (by, id) => {
      if (id === first?.id) late = await madeFrom(core, { type: 'image', imageId: id, index: 0 });
      await eraseJob(by, id);
    });
    await whileAccepting(author, uploadId);
    for (const job of [first, ...others, late]) expect(job && (await isErased(core, job))).toBe(true);
  });
});
