import type { Author } from '../../domain/audit.ts';
import { AppError } from '../../domain/errors.ts';
import type { JobStore } from '../../domain/ports.ts';
import type { ManageUploads } from '../inputs/manage-uploads.ts';
import type { EraseJob } from './erase-job.ts';

interface Deps {
  records: Pick<JobStore, 'list'>;
  uploads: Pick<ManageUploads, 'remove'>;
  eraseJob: EraseJob;
}

const pageSize = 20;

/**
 * Deletes an upload and erases every job that was made from it: jobs with the upload as an input, their retries, and jobs
 * with an image of these as an input. Repeatable: after a failure, or after the upload has expired, it erases the jobs that
 * are left.
 *
 * @throws AppError `not_found` if there is neither the upload nor such a job.
 */
export function createEraseUpload({ records, uploads, eraseJob }: Deps) {
  /** Erases the jobs of one page. Another request may have erased some of them. */
  async function erasePage(author: Author, ids: readonly string[]): Promise<void> {
    await Promise.all(
      ids.map((id) =>
        eraseJob(author, id).catch((error) => {
          if (!isGone(error)) throw error;
        }),
      ),
    );
  }

  /** Erases the jobs that name a job or an upload as their parent. @returns their ids. */
  async function eraseChildren(author: Author, parent: string): Promise<string[]> {
    const erased: string[] = [];
    let beforeId: string | undefined;
    do {
      const page = await records.list(author.tenant, { parent, limit: pageSize, beforeId });
      const ids = page.jobs.map(({ id }) => id);
      await erasePage(author, ids);
      erased.push(...ids);
      beforeId = page.nextBeforeId ?? undefined;
    } while (beforeId !== undefined);
    return erased;
  }

  /** Deletes the upload. @returns the error if there is none. */
  async function removeUpload(author: Author, id: string): Promise<unknown> {
    try {
      await uploads.remove(author, id);
      return null;
    } catch (error) {
      if (isGone(error)) return error;
      throw error;
    }
  }

  return async (author: Author, id: string): Promise<void> => {
    // The upload goes first. From then on the store accepts no job whose input is a copy of it.
    const missing = await removeUpload(author, id);
    const erased = new Set<string>();
    const parents = [id];
    for (let parent = parents.shift(); parent !== undefined; parent = parents.shift()) {
      // Children are listed after the erasure of their parent. From then on the store accepts no copy of its images.
      const children = (await eraseChildren(author, parent)).filter((child) => !erased.has(child));
      for (const child of children) erased.add(child);
      parents.push(...children);
    }
    if (missing !== null && erased.size === 0) throw missing;
  };
}
export type EraseUpload = ReturnType<typeof createEraseUpload>;

const isGone = (error: unknown) =>
  error instanceof AppError && (error.code === 'erased' || error.code === 'not_found');
