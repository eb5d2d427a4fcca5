import { randomUUID } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { checkKey } from '../../../clients/typescript/src/idempotency-key.ts';
import type { Darkroom, ImageRequest, Job } from '../../../clients/typescript/src/index.ts';
import type { CliContext } from './context.ts';
import { describeFailure, isRefusal } from './describe-failure.ts';
import { summary } from './describe-job.ts';
import { endOfJob } from './end-of-job.ts';
import { checkWritable, saveImages } from './image-files.ts';
import { type EditFiles, findEditFiles } from './input-files.ts';
import { wholeNumber } from './numbers.ts';
import { addPair } from './pairs.ts';
import { clearLine } from './progress.ts';
import { openClient } from './service-client.ts';
import { showImages } from './show-images.ts';

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
      'generate images with a running service (DARKROOM_URL, DARKROOM_API_KEY); without an argument the prompt is read from stdin',
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
      if (options.out !== undefined) await checkWritable(options.out);
      const say = (line: string) =>
        context.printError(context.drawsProgress() ? `${clearLine}${line}` : line);
      const client = await openClient(context, say);
      const files = await findEditFiles({ images: options.image, mask: options.mask });
      const body = bodyOf(prompt ?? (await readStdin()), options);
      if (files !== null) say(files.summary);
      const job = await submitOnce(context, client, { body, files, options });
      if (options.json) context.print(JSON.stringify(job));
      else {
        context.print(summary(job));
        if (waitsForEnd(options)) await showImages(context, job);
      }
      if (waitsForEnd(options) && job.status !== 'succeeded') process.exitCode = 1;
    });
}

/** Parses a key before any call. A key that the client refuses would look like a call with an unknown outcome. */
function parseKey(text: string): string {
  try {
    checkKey(text);
  } catch (error) {
    throw new InvalidArgumentError(describeFailure(error));
  }
  return text;
}

const waitsForEnd = ({ wait, out }: Options) => wait || out !== undefined;

/** Submits the job and waits for its end if requested. An error says how to continue without a second payment. */
async function submitOnce(
  context: CliContext,
  client: Darkroom,
  { body, files, options }: { body: ImageRequest; files: EditFiles | null; options: Options },
): Promise<Job> {
  const idempotencyKey = options.idempotencyKey ?? randomUUID();
  let accepted: Job | undefined;
  const howToContinue = () => {
    const known = accepted ? `${accepted.id} is accepted` : 'It is unknown if the job was accepted';
    return `${known}. Repeat the command with --idempotency-key ${idempotencyKey} to continue without a second job.`;
  };
  const interrupted = () => {
    context.printError(howToContinue());
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  try {
    const made = { idempotencyKey, wait: false } as const;
    accepted =
      files === null
        ? await client.generate(body, made)
        : await client.edit({ ...body, ...(await files.open()) }, made);
    if (!waitsForEnd(options)) return accepted;
    const job = await endOfJob(context, client, accepted);
    if (job.status === 'succeeded' && options.out !== undefined) await saveImages(context, job, options.out);
    return job;
  } catch (error) {
    const text = describeFailure(error);
    const shown = files?.named(text) ?? text;
    if (!accepted && isRefusal(error)) throw new Error(shown, { cause: error });
    throw new Error(`${shown}\n${howToContinue()}`, { cause: error });
  } finally {
    process.off('SIGINT', interrupted);
  }
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

async function readStdin(): Promise<string> {
  if (process.stdin.isTTY) throw new Error('Missing prompt. Pass it as an argument or on standard input.');
  let text = '';
  // The stream decodes, because a character may begin in one chunk and end in the next.
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk;
  return text.trim();
}
