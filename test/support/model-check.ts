import { AppError } from '../../src/domain/errors.ts';
import type { ImageRequest } from '../../src/domain/image-request.ts';
import { checkAgainstCatalogue } from '../../src/domain/model-rules.ts';
import { builtInCatalogue } from './catalogue.ts';
import { requestOf } from './jobs.ts';

const catalogue = builtInCatalogue();
/** The day of all checks, unless a test says another. */
export const today = Date.UTC(2026, 10, 23);

/** Checks a request against the built-in catalogue. @returns its warnings. */
export function checkModel(
  fields: Partial<ImageRequest>,
  options: { nowMs?: number; allowUnknownModels?: boolean } = {},
) {
  return checkAgainstCatalogue(requestOf(fields), catalogue, {
    nowMs: today,
    allowUnknownModels: true,
    ...options,
  });
}

/** Returns the error of a request that the catalogue does not allow. */
export function modelRefusal(
  fields: Partial<ImageRequest>,
  options: Parameters<typeof checkModel>[1] = {},
): AppError {
  try {
    checkModel(fields, options);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error(`accepted: ${JSON.stringify(fields)}`);
}

/** Returns the pointers of all issues of an error. */
export const pointersOf = (error: AppError) => error.issues.map((issue) => issue.pointer);
