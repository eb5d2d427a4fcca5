import type { ImageJobView } from '../../domain/job-view.ts';

/** Returns micro-USD as a person reads them, with the exact amount. An unknown cost is never shown as zero. */
export function describeCost(microUsd: number | null): string {
  return microUsd === null ? 'unknown' : `$${(microUsd / 1_000_000).toFixed(4)} (${microUsd} micro-USD)`;
}

/** Describes a job in a few lines for a language model: id, status, cost and links, or the error and what to do. */
export function describeJob(job: ImageJobView): string {
  return [`Job ${job.id}: ${job.status}.`, ...stateOf(job), ...costOf(job)].join('\n');
}

function stateOf(job: ImageJobView): string[] {
  if (job.error) {
    const advice = job.error.retryable
      ? 'The same request may succeed later.'
      : 'Do not repeat the same request.';
    return [`${job.error.code}: ${job.error.message} ${advice}`];
  }
  if (job.status === 'queued' || job.status === 'running') {
    const position = job.queue.position === null ? '' : ` ${job.queue.position} jobs are before it.`;
    return [`It is still ${job.stage ?? job.status}.${position} Call get_image with this id to wait for it.`];
  }
  return job.images.map(({ index, url, width, height }) => `Image ${index}, ${width}x${height}: ${url}`);
}

function costOf({ cost, livemode }: ImageJobView): string[] {
  if (livemode === false) return ['Cost: nothing, the image was drawn offline.'];
  const amount = describeCost(cost.micro_usd);
  if (cost.estimated) return [`Cost, at most: ${amount}.`];
  return [
    cost.billing === 'possible' ? `Cost: ${amount}, and a further charge is possible.` : `Cost: ${amount}.`,
  ];
}
