import type { ImageJob } from '../../domain/image-job.ts';
import type { EventContent } from '../../domain/webhook-event.ts';
import { payloadText } from '../../domain/webhook-payload.ts';
import type { PresentJob } from '../jobs/present-job.ts';

interface Deps {
  readonly presentJob: PresentJob;
  /** Base URL of the links in a payload. */
  readonly publicUrlFor: (job: ImageJob) => string;
}

/** Lifetime of links in a payload, in seconds: endpoints may process an event late. S3 signs for at most seven days. */
const linkSeconds = 7 * 24 * 3600;

/**
 * Returns the body of an event. Links are signed now, so that the store contains storage keys only and a late attempt
 * carries links that work.
 */
export function createRenderEvent({ presentJob, publicUrlFor }: Deps) {
  return async (content: EventContent): Promise<string> => {
    if (content.kind === 'body') return content.body;
    const { type, at, job } = content.event;
    const publicUrl = publicUrlFor(job);
    return payloadText(type, at, await presentJob(job, { publicUrl, linkSeconds, withPosition: false }));
  };
}
export type RenderEvent = ReturnType<typeof createRenderEvent>;
