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

const pageSize = 100;
const maxConcurrent = 20;

/**
 * Deletes an upload and erases every job that was made from it: jobs with the upload as an input, their retries, and jobs
 * with an image of these as an input. An erased job does not lead to the jobs that were made from it, so each job is erased
 * after those. Repeatable: after a failure, or after the upload has expired, it erases the jobs that are left.
 *
 * @throws AppError `not_found` if there is neither the upload nor such a job.
 */
export function createEraseUpload({ records, uploads, eraseJob }: Deps) {
  /** Erases jobs. Another request may have erased some of them. */
  async function eraseAll(author: Author, ids: readonly string[]): Promise<void> {
    const erase = (id: string) =>
      eraseJob(author, id).catch((error) => {
        if (!isGone(error)) throw error;
      });
    for (let i = 0; i < ids.length; i += maxConcurrent)
      await Promise.all(ids.slice(i, i + maxConcurrent).map(erase));
  }

  /** Returns the ids of the jobs that name a job or an upload as their parent. */
  async function childrenOf(tenant: string, parent: string): Promise<string[]> {
    const ids: string[] = [];
    let beforeId: string | undefined;
    do {
      const page = await records.list(tenant, { parent, limit: pageSize, beforeId });
      ids.push(...page.jobs.map(({ id }) => id));
      beforeId = page.nextBeforeId ?? undefined;
    } while (beforeId !== undefined);
    return ids;
  }

  /**
   * Returns the unknown jobs that come from known jobs and uploads, in generations: each job is in the generation after that
   * of a job that it was made from. Adds them to the known ones.
   */
  async function newGenerations(tenant: string, known: Set<string>): Promise<string[][]> {
    const generations: string[][] = [];
    for (let parents = [...known]; parents.length > 0; ) {
      const children: string[] = [];
      for (const parent of parents) {
        for (const child of await childrenOf(tenant, parent)) {
          if (!known.has(child)) children.push(child);
          known.add(child);
        }
      }
      if (children.length > 0) generations.push(children);
      parents = children;
    }
    return generations;
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
    const known = new Set([id]);
    for (;;) {
      const generations = await newGenerations(author.tenant, known);
      if (generations.length === 0) break;
      for (const ids of generations.toReversed()) await eraseAll(author, ids);
      // More jobs may have been accepted before the erasure of their parents. From then on the store accepts none.
    }
    if (missing !== null && known.size === 1) throw missing;
  };
}
export type EraseUpload = ReturnType<typeof createEraseUpload>;

const isGone = (error: unknown) =>
  error instanceof AppError && (error.code === 'erased' || error.code === 'not_found');
