import { type Command, Option } from 'commander';
import type { Darkroom, Job } from '../../../clients/typescript/src/index.ts';
import { jobStatuses } from '../../domain/image-job.ts';
import { type CliContext, table } from './context.ts';
import { describeFailure, statusOf } from './describe-failure.ts';
import { linesOf, rowHeads, rowOf, summary } from './describe-job.ts';
import { endOfJob } from './end-of-job.ts';
import { addId, parseId } from './id-argument.ts';
import { checkWritable, saveImages } from './image-files.ts';
import { wholeNumber } from './numbers.ts';
import { addPair } from './pairs.ts';
import { openClient } from './service-client.ts';
import { showImages } from './show-images.ts';
import { parseKey, submitOnce } from './submit-once.ts';

interface Json {
  json?: boolean;
}

interface ListOptions extends Json {
  status?: Job['status'];
  model?: string;
  parent?: string;
  metadata: Record<string, string>;
  createdAfter?: string;
  createdBefore?: string;
  limit: number;
}

interface RetryOptions extends Json {
  wait?: boolean;
  out?: string;
  idempotencyKey?: string;
}

const defaultLimit = 20;
const maxListed = 10_000;
const maxPage = 100;

/** Adds `darkroom jobs list|get|cancel|retry|erase|open`. */
export function addJobs(program: Command, context: CliContext): void {
  const jobs = program
    .command('jobs')
    .description('list, show, cancel, retry, erase and open jobs of a running service');
  addList(jobs, context);
  addGet(jobs, context);
  addChanges(jobs, context);
  addRetry(jobs, context);
  addOpen(jobs, context);
}

function addList(jobs: Command, context: CliContext): void {
  jobs
    .command('list')
    .description('list jobs, newest first')
    .addOption(new Option('--status <status>', 'only jobs in this status').choices(jobStatuses))
    .option('--model <name>', 'only jobs of this model')
    .option('--parent <id>', 'only jobs that retry, vary or edit this job', parseId)
    .option('--metadata <key=value>', 'only jobs with this pair; repeat it for several pairs', addPair, {})
    .option(
      '--created-after <time>',
      'only jobs that were created after this time, such as 2026-11-29T10:00:00Z',
    )
    .option('--created-before <time>', 'only jobs that were created before this time')
    .option('--limit <count>', 'maximum number of jobs', wholeNumber(1, maxListed), defaultLimit)
    .option('--json', 'print JSON')
    .action(async ({ json, limit, createdAfter, createdBefore, ...filters }: ListOptions) => {
      const client = await openClient(context);
      const times = {
        ...(createdAfter === undefined ? {} : { created_after: createdAfter }),
        ...(createdBefore === undefined ? {} : { created_before: createdBefore }),
      };
      const found: Job[] = [];
      for await (const job of client.list({ ...filters, ...times, limit: Math.min(limit, maxPage) })) {
        if (found.push(job) >= limit) break;
      }
      if (json) return context.print(JSON.stringify(found));
      if (found.length === 0) return context.print('No jobs.');
      context.print(table([rowHeads, ...found.map(rowOf)]));
    });
}

function addGet(jobs: Command, context: CliContext): void {
  jobs
    .command('get')
    .argument('<id>', 'id of the job', parseId)
    .description('show a job with its images, cost and attempts')
    .option('--json', 'print JSON')
    .action(async (id: string, { json }: Json) => {
      const job = await (await openClient(context)).get(id);
      if (json) return context.print(JSON.stringify(job));
      context.print(linesOf(job).join('\n'));
      await showImages(context, job);
    });
}

function addChanges(jobs: Command, context: CliContext): void {
  jobs
    .command('cancel')
    .argument('<id...>', 'ids of the jobs', addId)
    .description('cancel jobs; a queued job costs nothing')
    .option('--json', 'print JSON')
    .action((ids: string[], options: Json) =>
      changeEach(context, ids, async (client, id) => {
        const job = await client.cancel(id);
        context.print(options.json ? JSON.stringify(job) : summary(job));
      }),
    );

  jobs
    .command('erase')
    .argument('<id...>', 'ids of the jobs', addId)
    .description('erase the images, inputs and prompts of jobs; this cannot be undone')
    .option('--json', 'print JSON')
    .action((ids: string[], options: Json) =>
      changeEach(context, ids, async (client, id) => {
        await client.erase(id);
        context.print(options.json ? JSON.stringify({ id, erased: true }) : `${id} is erased.`);
      }),
    );
}

/** Statuses of refusals that concern one job: it is unknown, has ended or is erased. */
const refusalsOfOneJob: ReadonlySet<number | undefined> = new Set([404, 409, 410]);

/** Changes jobs one after the other. A job that cannot be changed does not stop the others. */
async function changeEach(
  context: CliContext,
  ids: readonly string[],
  change: (client: Darkroom, id: string) => Promise<void>,
): Promise<void> {
  const client = await openClient(context);
  for (const id of ids) {
    try {
      await change(client, id);
    } catch (error) {
      if (ids.length === 1 || !refusalsOfOneJob.has(statusOf(error))) throw error;
      context.printError(`${id}: ${describeFailure(error)}`);
      process.exitCode = 1;
    }
  }
}

function addRetry(jobs: Command, context: CliContext): void {
  jobs
    .command('retry')
    .argument('<id>', 'id of the job', parseId)
    .description('submit a job again that failed, was canceled or expired')
    .option('--wait', 'wait until the new job has ended')
    .option('--out <file>', 'save the images as `generate` does; implies --wait')
    .option(
      '--idempotency-key <key>',
      'repeat an interrupted command with its key: the same key never creates a second job',
      parseKey,
    )
    .option('--json', 'print JSON')
    .action(async (id: string, { wait, out, idempotencyKey, json }: RetryOptions) => {
      if (out !== undefined) await checkWritable(context, out);
      const client = await openClient(context);
      const waits = wait || out !== undefined;
      const job = await submitOnce(context, {
        idempotencyKey,
        submit: (made) => client.retry(id, made),
        async finish(accepted) {
          if (!waits) return accepted;
          const ended = await endOfJob(context, client, accepted);
          if (ended.status === 'succeeded' && out !== undefined) await saveImages(context, ended, out);
          return ended;
        },
      });
      context.print(json ? JSON.stringify(job) : summary(job));
      if (waits && job.status !== 'succeeded') process.exitCode = 1;
    });
}

function addOpen(jobs: Command, context: CliContext): void {
  jobs
    .command('open')
    .argument('<id>', 'id of the job', parseId)
    .description('open an image in the browser; in a pipe only its link is printed')
    .option('--index <index>', 'index of the image', wholeNumber(0, 9), 0)
    .option('--json', 'print the image as JSON')
    .action(async (id: string, { index, json }: Json & { index: number }) => {
      const job = await (await openClient(context)).get(id);
      const image = job.images.find((each) => each.index === index);
      if (!image) throw new Error(`${id} is ${job.status} and has no image ${index}.`);
      context.print(json ? JSON.stringify(image) : image.url);
      if (!json) await context.openLink(image.url);
    });
}
