import { randomUUID } from 'node:crypto';
import { access, constants, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { isTerminal } from '../../domain/image-job.ts';
import type { ImageJobView } from '../../domain/job-view.ts';
import { sleep } from '../../lib/sleep.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import type { CliContext } from './context.ts';
import { PassingTrouble } from './patiently.ts';

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

/** So that a stream that is cut at once, again and again, is not opened without a pause. */
const reopenMs = 500;
/** Takes the progress off its line of the terminal. */
const clearLine = '\r\u001b[K';

/** `darkroom generate`: orders pictures from a running service, shows the progress, writes the files. */
export function addGenerate(program: Command, context: CliContext): void {
  program
    .command('generate [prompt]')
    .description(
      'order pictures from a running service (DARKROOM_URL, DARKROOM_API_KEY); the prompt may come on stdin',
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
      'write the picture there; further ones get -1, -2, ... before the ending; implies --wait',
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
      const order = bodyOf(prompt ?? (await readStdin()), options);
      const job = await orderOnce(context, client, order, options);
      if (options.json) context.print(JSON.stringify(job));
      else context.print(summary(job));
      if (waitsForEnd(options) && job.status !== 'succeeded') process.exitCode = 1;
    });
}

const waitsForEnd = ({ wait, out }: Options) => wait || out !== undefined;

/** What cannot be written is found out before it is paid for. */
async function checkWritable(out: string): Promise<void> {
  const existing = await stat(out).catch(() => null);
  if (existing?.isDirectory()) throw new Error(`--out ${out} is a folder. Name a file in it.`);
  await access(existing ? out : dirname(out), constants.W_OK).catch((cause: unknown) => {
    throw new Error(`--out ${out} cannot be written. Nothing was ordered.`, { cause });
  });
}

/** Orders, and follows to the end if that is wanted. Where it breaks off, it says how to go on without paying again. */
async function orderOnce(
  context: CliContext,
  client: ApiClient,
  order: Record<string, unknown>,
  options: Options,
): Promise<ImageJobView> {
  const key = options.idempotencyKey ?? randomUUID();
  let accepted: ImageJobView | undefined;
  try {
    accepted = await client.submit(order, key);
    if (!waitsForEnd(options)) return accepted;
    const job = await follow(context, client, accepted);
    if (job.status === 'succeeded' && options.out !== undefined)
      await save(context, client, job, options.out);
    return job;
  } catch (error) {
    // Refused: there is no job.
    if (!accepted && !(error instanceof PassingTrouble)) throw error;
    const known = accepted ? `${accepted.id} is accepted` : 'It is not known whether the order was accepted';
    const goOn = `${known}. The same command with --idempotency-key ${key} goes on and orders nothing twice.`;
    throw new Error(`${(error as Error).message}\n${goOn}`, { cause: error });
  }
}

function bodyOf(prompt: string, options: Options): Record<string, unknown> {
  const { model, size, quality, n, preset, enhance, format } = options;
  const body = { prompt, model, size, quality, n, preset, enhance, output_format: format };
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

async function follow(context: CliContext, client: ApiClient, job: ImageJobView): Promise<ImageJobView> {
  const started = Date.now();
  const draws = context.drawsProgress();
  let state = job.status as string;
  const show = () => {
    if (!draws) return;
    process.stderr.write(`${clearLine}${state} ${Math.round((Date.now() - started) / 1000)} s`);
  };
  const ticker = setInterval(show, 1_000);
  try {
    for (let seen = '0'; ; ) {
      for await (const event of client.events(job.id, seen)) {
        seen = event.no;
        state = event.stage ?? event.status;
        show();
        if (event.job) return event.job;
      }
      const now = await client.get(job.id);
      if (isTerminal(now.status)) return now;
      await sleep(reopenMs);
    }
  } finally {
    clearInterval(ticker);
    if (draws) process.stderr.write(clearLine);
  }
}

async function save(context: CliContext, client: ApiClient, job: ImageJobView, out: string): Promise<void> {
  for (const image of job.images) {
    const path = image.index === 0 ? out : out.replace(/(\.[^./]+)?$/, `-${image.index}$1`);
    await writeFile(path, await client.download(image.url));
    context.printError(
      `${path}: ${image.width}x${image.height} ${image.content_type}, ${image.size_bytes} bytes`,
    );
  }
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
  for await (const chunk of process.stdin) text += chunk;
  return text.trim();
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Give a whole number from 1.');
  return value;
}
