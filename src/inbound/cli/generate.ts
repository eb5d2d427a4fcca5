import { randomUUID } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import type { ImageJobView } from '../../domain/job-view.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { Refusal } from './call-errors.ts';
import type { CliContext } from './context.ts';
import { clearLine, followJob } from './follow-job.ts';
import { checkWritable, saveImages } from './image-files.ts';

interface Options {
  model?: string;
  size?: string;
  quality?: string;
  n?: number;
  preset?: string;
  enhance?: string;
  format?: string;
  wait?: boolean;
  out?: string;
  idempotencyKey?: string;
  json?: boolean;
}

/** `darkroom generate`: orders images from a running service, shows the progress, writes the files. */
export function addGenerate(program: Command, context: CliContext): void {
  program
    .command('generate [prompt]')
    .description(
      'order images from a running service (DARKROOM_URL, DARKROOM_API_KEY); the prompt may come on stdin',
    )
    .option('--model <name>', 'a model of GET /models')
    .option('--size <WxH>', 'size in pixels, or auto')
    .option('--quality <quality>', 'quality of the model')
    .option('--n <count>', 'how many', wholeNumber)
    .option('--preset <name>', 'a preset of GET /presets')
    .option('--enhance <mode>', 'off, auto or always')
    .option('--format <format>', 'png, jpeg or webp')
    .option('--wait', 'wait until the job has ended')
    .option(
      '--out <file>',
      'write the image there; further ones get -1, -2, ... before the ending; implies --wait',
    )
    .option(
      '--idempotency-key <key>',
      'the same key never orders twice: give it to repeat a command whose end is not known',
    )
    .option('--json', 'print the job as JSON')
    .action(async (prompt: string | undefined, options: Options) => {
      if (options.out !== undefined) await checkWritable(options.out);
      const say = (line: string) =>
        context.printError(context.drawsProgress() ? `${clearLine}${line}` : line);
      const client = createApiClient({ ...context.client(), say });
      const body = bodyOf(prompt ?? (await readStdin()), options);
      const job = await submitOnce(context, client, body, options);
      if (options.json) context.print(JSON.stringify(job));
      else context.print(summary(job));
      if (waitsForEnd(options) && job.status !== 'succeeded') process.exitCode = 1;
    });
}

const waitsForEnd = ({ wait, out }: Options) => wait || out !== undefined;

/** Orders, and follows to the end if that is wanted. Where it breaks off, it says how to go on without paying again. */
async function submitOnce(
  context: CliContext,
  client: ApiClient,
  body: Record<string, unknown>,
  options: Options,
): Promise<ImageJobView> {
  const key = options.idempotencyKey ?? randomUUID();
  let accepted: ImageJobView | undefined;
  const howToGoOn = () => {
    const known = accepted ? `${accepted.id} is accepted` : 'It is not known whether the order was accepted';
    return `${known}. The same command with --idempotency-key ${key} goes on and orders nothing twice.`;
  };
  const interrupted = () => {
    context.printError(howToGoOn());
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  try {
    accepted = await client.submit(body, key);
    if (!waitsForEnd(options)) return accepted;
    const job = await followJob(context, client, accepted);
    if (job.status === 'succeeded' && options.out !== undefined)
      await saveImages(context, client, job, options.out);
    return job;
  } catch (error) {
    if (!accepted && error instanceof Refusal) throw error;
    throw new Error(`${(error as Error).message}\n${howToGoOn()}`, { cause: error });
  } finally {
    process.off('SIGINT', interrupted);
  }
}

function bodyOf(prompt: string, options: Options): Record<string, unknown> {
  const { model, size, quality, n, preset, enhance, format } = options;
  const body = { prompt, model, size, quality, n, preset, enhance, output_format: format };
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

/** Money in words that claim no more than is known. */
function summary(job: ImageJobView): string {
  const { micro_usd: amount, estimated, billing } = job.cost;
  const usd = amount === null ? 'unknown' : `${(amount / 1e6).toFixed(6)} USD`;
  const cost = `cost ${usd}${estimated ? ' (estimated)' : ''}, billing ${billing}`;
  const error = job.error ? `\n${job.error.code}: ${job.error.message}` : '';
  return `${job.id} ${job.status}, ${cost}${error}`;
}

async function readStdin(): Promise<string> {
  if (process.stdin.isTTY) throw new Error('Give a prompt, as an argument or on standard input.');
  let text = '';
  // Not chunk by chunk: a character may begin in one and end in the next.
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk;
  return text.trim();
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Give a whole number from 1.');
  return value;
}
