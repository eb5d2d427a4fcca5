import { createMakeThumbnails, type MakeThumbnailsDeps } from './make-thumbnails.ts';

/** Builds the verbs of thumbnails. */
export function createThumbnails(deps: MakeThumbnailsDeps) {
  return { makeThumbnails: createMakeThumbnails(deps) };
}
