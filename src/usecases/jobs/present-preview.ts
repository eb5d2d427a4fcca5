import type { ImageJob } from '../../domain/image-job.ts';
import { arePreviewsGone, previewsExpireAt } from '../../domain/job-deadlines.ts';
import type { PreviewView } from '../../domain/job-view.ts';
import { linkTimes } from '../../domain/link-times.ts';
import type { Clock, ImageStorage } from '../../domain/ports.ts';
import { viewPreview } from '../../domain/view-job.ts';
import { previewFileName } from './read-image.ts';

interface Deps {
  storage: Pick<ImageStorage, 'link' | 'isServedHere'>;
  clock: Clock;
}

/** Renders the preview of an image for a caller, with a link that is signed at this moment. `null` if its retention has ended. */
export function createPresentPreview({ storage, clock }: Deps) {
  return async (
    job: ImageJob,
    name: { readonly index: number; readonly partial: number },
    options: { readonly publicUrl: string; readonly linkSeconds: number },
  ): Promise<PreviewView | null> => {
    const preview = job.previews?.find(
      ({ index, partial }) => index === name.index && partial === name.partial,
    );
    if (!preview || arePreviewsGone(job, clock())) return null;
    const times = linkTimes(clock(), options.linkSeconds, previewsExpireAt(job));
    const link = await storage.link(preview.storageKey, {
      ...times,
      contentType: preview.contentType,
      fileName: previewFileName(job.id, preview),
    });
    const url = storage.isServedHere ? options.publicUrl + link : link;
    return viewPreview(job, preview, { url, expiresAtMs: times.expiresAtMs });
  };
}
export type PresentPreview = ReturnType<typeof createPresentPreview>;
