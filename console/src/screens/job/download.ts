import type { ImageJob } from '../../api/types.ts';
import { fileNameOf } from './file-name.ts';

/** Downloads all images of jobs through their links, which need no key. */
export function downloadImages(jobs: readonly ImageJob[]): void {
  for (const job of jobs) {
    for (const image of job.images) {
      const link = document.createElement('a');
      link.href = image.url;
      link.download = fileNameOf(job, image);
      // A storage of another origin ignores the attribute, and must not replace the console.
      link.target = '_blank';
      link.rel = 'noreferrer';
      link.click();
    }
  }
}
