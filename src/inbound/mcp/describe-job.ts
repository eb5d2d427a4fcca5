import type { ImageJobView } from '../../domain/job-view.ts';

/** Returns micro-USD as a person reads them, with the exact amount. An unknown cost is never shown as zero. */
export function describeCost(microUsd: number | null): string {
  return microUsd === null ? 'unknown' : `$${(microUsd / 1_000_000).toFixed(4)} (${microUsd} micro-USD)`;
}

/** Describes a job in a few lines for a language model: id, status, cost and links, or the error and what to do. */
export function describeJob(job: ImageJobView): string {
  return [`Job ${job.id}: ${job.status}.`, ...stateOf(job), ...costOf(job)].join('\n');
}

/** Describes the progress of a job that has not ended. */
export function describeProgress({ status, stage, queue: { position } }: ImageJobView): string {
  const before = position === null || position === 0 ? '' : `, ${position} jobs start before it`;
  return `${stage ?? status}${before}`;
}

function stateOf(job: ImageJobView): string[] {
  if (job.error) {
    const advice = job.error.retryable
      ? 'The same request may succeed later.'
      : 'Do not repeat the same request.';
    return [`${job.error.code}: ${job.error.message} ${advice}`];
  }
  if (job.status === 'queued' || job.status === 'running') {
    return [
      `It is not ready yet (${describeProgress(job)}). Call get_image with this id and wait_s 45. Do not repeat the call: that would pay for a second image.`,
    ];
  }
  const missing = job.image_errors.map(
    ({ index, code, message }) => `Image ${index ?? 0} is missing, ${code}: ${message}`,
  );
  const images = job.images.map(
    ({ index, url, width, height }) => `Image ${index}, ${width}x${height}: ${url}`,
  );
  return [...images, ...missing];
}

function costOf({ cost, livemode }: ImageJobView): string[] {
  const bound = cost.estimated ? 'at most ' : '';
  const amount = `${bound}${describeCost(cost.micro_usd)}`;
  if (livemode === false) {
    return [`Cost: nothing, the image was drawn offline. Simulated for budgets: ${amount}.`];
  }
  if (cost.estimated) return [`Cost: ${amount}.`];
  return [
    cost.billing === 'possible' ? `Cost: ${amount}, and a further charge is possible.` : `Cost: ${amount}.`,
  ];
}
