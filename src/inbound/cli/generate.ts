import type { Command } from 'commander';
import type { Darkroom, ImageRequest, Job } from '../../../clients/typescript/src/index.ts';
import type { CliContext } from './context.ts';
import { summary } from './describe-job.ts';
import { endOfJob } from './end-of-job.ts';
import { checkWritable, saveImages } from './image-files.ts';
import { type EditFiles, findEditFiles } from './input-files.ts';
import { wholeNumber } from './numbers.ts';
import { addPair } from './pairs.ts';
import { clearLine } from './progress.ts';
import { readPrompt } from './read-prompt.ts';
import { openClient } from './service-client.ts';
import { showImages } from './show-images.ts';
import { parseKey, submitOnce } from './submit-once.ts';

interface Options {
  model?: string;
  size?: string;
  quality?: string;
  n?: number;
  preset?: string;
  image: string[];
  mask?: string;
  enhance?: string;
  format?: string;
  wait?: boolean;
  out?: string;
  metadata: Record<string, string>;
  maxCostMicroUsd?: number;
  idempotencyKey?: string;
  json?: boolean;
}

/** Adds `darkroom generate`, which submits a job to a running service, shows its progress and saves its images. */
export function addGenerate(program: Command, context: CliContext): void {
  program
    .command('generate [prompt]')
    .description(
      'generate images with a running service (DARKROOM_URL, DARKROOM_API_KEY); without an argument, or with -, the prompt is read from stdin',
    )
    .option('--model <name>', 'name or alias of GET /models')
    .option('--size <WxH>', 'size in pixels, or auto')
    .option('--quality <quality>', 'a quality that the model supports')
    .option('--n <count>', 'number of images, 1 to 10', wholeNumber(1, 10))
    .option(
      '--image <file>',
      'image to edit: PNG, JPEG or WebP, at most 50 MB; repeat it for up to 16 images',
      (file: string, files: string[]) => [...files, file],
      [],
    )
    .option('--mask <file>', 'PNG of the size of the first image; its transparent area is edited')
    .option('--preset <name>', 'name of GET /presets')
    .option('--enhance <mode>', 'off, auto or always')
    .option('--format <format>', 'png, jpeg or webp')
    .option(
      '--metadata <key=value>',
      'pair that is returned with the job; repeat it for several pairs',
      addPair,
      {},
    )
    .option(
      '--max-cost-micro-usd <amount>',
      'refuse the job if it may cost more, before anything is paid',
      wholeNumber(0, 1e12),
    )
    .option('--wait', 'wait until the job has ended')
    .option(
      '--out <file>',
      'save the image to this file; further images get -1, -2, ... before the extension; implies --wait',
    )
    .option(
      '--idempotency-key <key>',
      'repeat an interrupted command with its key: the same key never creates a second job',
      parseKey,
    )
    .option('--json', 'print the job as JSON')
    .action(async (prompt: string | undefined, options: Options) => {
      if (options.out !== undefined) await checkWritable(context, options.out, options.n);
      const say = (line: string) =>
        context.printError(context.drawsProgress() ? `${clearLine}${line}` : line);
      const client = await openClient(context, say);
      const files = await findEditFiles({ images: options.image, mask: options.mask });
      const body = bodyOf(await readPrompt(prompt), options);
      if (files !== null) say(files.summary);
      const job = await generate(context, client, { body, files, options });
      if (options.json) context.print(JSON.stringify(job));
      else {
        context.print(summary(job));
        if (waitsForEnd(options)) await showImages(context, job);
      }
      if (waitsForEnd(options) && job.status !== 'succeeded') process.exitCode = 1;
    });
}

const waitsForEnd = ({ wait, out }: Options) => wait || out !== undefined;

/** Submits the job, waits for its end if requested, and saves its images. */
function generate(
  context: CliContext,
  client: Darkroom,
  { body, files, options }: { body: ImageRequest; files: EditFiles | null; options: Options },
): Promise<Job> {
  return submitOnce(context, {
    idempotencyKey: options.idempotencyKey,
    submit: async (made) =>
      files === null ? client.generate(body, made) : client.edit({ ...body, ...(await files.open()) }, made),
    async finish(accepted) {
      if (!waitsForEnd(options)) return accepted;
      const job = await endOfJob(context, client, accepted);
      if (job.status === 'succeeded' && options.out !== undefined)
        await saveImages(context, job, options.out);
      return job;
    },
    ...(files === null ? {} : { named: files.named }),
  });
}

function bodyOf(prompt: string, options: Options): ImageRequest {
  const { model, size, quality, n, preset, enhance, format, metadata, maxCostMicroUsd } = options;
  const body = {
    ...{ prompt, model, size, quality, n, preset, enhance, output_format: format },
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
    max_cost_micro_usd: maxCostMicroUsd,
  };
  // The service validates the values.
  return Object.fromEntries(
    Object.entries(body).filter(([, value]) => value !== undefined),
  ) as unknown as ImageRequest;
}
