import type { ImageJob, Job } from '../../../clients/typescript/src/index.ts';
import { printable } from './printable.ts';

const maxPromptCharacters = 50;

/** Heads of the columns of `rowOf`. */
export const rowHeads = ['ID', 'STATUS', 'CREATED', 'MODEL', 'COST USD', 'PROMPT'];

/** Returns the cells of a job in a list. */
export function rowOf(job: Job): string[] {
  const prompt = job.prompt.original.replace(/\s+/g, ' ');
  const characters = [...prompt];
  const isLong = characters.length > maxPromptCharacters;
  const shown = isLong ? `${characters.slice(0, maxPromptCharacters - 1).join('')}…` : prompt;
  return [job.id, job.status, job.created_at, job.request.model ?? '-', usdOf(job), shown];
}

/** Returns the cost of a job, or its upper bound until the job has ended. An unknown cost is no zero. */
function usdOf({ cost }: Pick<ImageJob, 'cost'>): string {
  if (cost.micro_usd === null) return 'unknown';
  return `${cost.estimated ? '<= ' : ''}${(cost.micro_usd / 1e6).toFixed(6)}`;
}

/** Returns the lines that show a job with its images and attempts. */
export function linesOf(job: Job): string[] {
  const images = job.images.map(
    ({ index, width, height, content_type, url }) =>
      `image ${index}  ${width}x${height} ${content_type}  ${url}`,
  );
  const attempts = job.attempts.map(({ kind, index, state, started_at, provider_request_id }) =>
    `attempt ${kind} ${index ?? ''}  ${state}  ${started_at}  ${printable(provider_request_id ?? '')}`.trimEnd(),
  );
  return [
    summary(job),
    `prompt   ${printable(job.prompt.original)}`,
    `model    ${printable(job.request.model)}`,
    ...images,
    ...attempts,
  ];
}

/** Returns one line with the status and cost of a job, and its error. */
export function summary(job: Pick<ImageJob, 'id' | 'status' | 'cost' | 'livemode' | 'error'>): string {
  const { micro_usd: amount, billing } = job.cost;
  const charge = job.livemode === false ? 'simulated, nothing charged' : `billing ${billing}`;
  const cost = `cost ${usdOf(job)}${amount === null ? '' : ' USD'}, ${charge}`;
  const error = job.error ? `\n${job.error.code}: ${printable(job.error.message)}` : '';
  return `${job.id} ${job.status}, ${cost}${error}`;
}
