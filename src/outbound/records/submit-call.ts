import type { JobStore } from '../../domain/ports.ts';
import { eventOf } from '../../domain/webhook-event.ts';
import { dueScoreOf, indexesOf, type Keys, subscribersOf } from './keys.ts';
import { encodeVersioned } from './versioned-json.ts';

export type SubmitInput = Parameters<JobStore['submit']>[0];

/** Placeholder for an absent value. */
const none = '-';

/** Returns the keys and arguments of `submitScript` for jobs of one tenant. */
export function callFor(
  keys: Keys,
  tenant: string,
  inputs: readonly SubmitInput[],
): { names: string[]; values: (string | number)[] } {
  const names = [
    keys.open(tenant),
    keys.due(tenant),
    keys.outbox(tenant),
    ...subscribersOf(keys, tenant, eventOf('queued')),
  ];
  // Most jobs join the same indexes, so each index is sent once.
  const positions = new Map<string, number>();
  function positionOf(index: string): number {
    const position = positions.get(index) ?? names.push(index);
    positions.set(index, position);
    return position;
  }
  const joined = inputs.map(({ job }) => indexesOf(keys, job).map(positionOf).join(','));
  const values: (string | number)[] = [positions.size];
  for (const [i, input] of inputs.entries()) {
    const { job, claim, event } = input;
    values.push(wordsOf(input, joined[i] || none), encodeVersioned(job));
    names.push(keys.job(tenant, job.id), keys.event(tenant, event?.id ?? none));
    if (claim) names.push(keys.idempotency(tenant, claim.keyHash));
  }
  return { names, values };
}

/** Returns the fields of a job that the script reads, as one text. */
function wordsOf({ job, claim, event, maxOpenJobs }: SubmitInput, positions: string): string {
  const itself = `${job.id} ${job.updatedAt} ${dueScoreOf(job)} ${maxOpenJobs} ${positions}`;
  const eventWritten = `${event?.id ?? none} ${event?.wanted ? 1 : none}`;
  const claimed = `${claim?.fingerprint ?? none} ${claim?.ttlMs ?? none}`;
  return `${itself} ${eventWritten} ${claimed}`;
}
