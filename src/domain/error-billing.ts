import { billingOf, isCallFor } from './attempt.ts';
import type { Billing } from './errors.ts';
import type { ImageJob, JobError } from './image-job.ts';

/** Returns what is known about the money of the calls that an error is about: those for its image, or all of its job. */
function billingFor({ attempts }: Pick<ImageJob, 'attempts'>, { index }: JobError): Billing {
  return billingOf(index === undefined ? attempts : attempts.filter((each) => isCallFor(each, index)));
}

/**
 * Returns a changed job whose earlier errors state the billing that its calls have now. A settlement or a late response may
 * make a charge known after the error was written. An error about a single call that states less than its image keeps it.
 */
export function withKnownBilling(before: ImageJob, after: ImageJob): ImageJob {
  if (!before.errors || !after.errors || before.attempts === after.attempts) return after;
  const earlier = new Set(before.errors);
  let isChanged = false;
  const errors = after.errors.map((error) => {
    const billing = billingFor(after, error);
    if (!earlier.has(error) || billing === error.billing) return error;
    const wasSum = billingFor(before, error) === error.billing;
    const isKnown = error.billing === 'possible' && billing !== 'possible';
    if (!wasSum && !isKnown) return error;
    isChanged = true;
    return { ...error, billing };
  });
  return isChanged ? { ...after, errors } : after;
}
