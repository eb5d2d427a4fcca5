import { AppError } from '../../domain/errors.ts';
import type { CliContext, KeyTools } from './context.ts';

/** Runs work on a key. @throws Error that names the id if there is no such key. */
export async function withKey<Result>(
  context: CliContext,
  id: string,
  work: (manage: KeyTools) => Promise<Result>,
): Promise<Result> {
  try {
    return await context.withKeys(work);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'not_found') throw error;
    throw new Error(`There is no key ${id}. List them with: darkroom keys list`, { cause: error });
  }
}
