import { writeFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import type { ImageJobView } from '../../domain/job-view.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import type { CliContext } from './context.ts';

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
  json?: boolean;
}

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
    .option('--json', 'print the job as JSON')
    .action(async (prompt: string | undefined, options: Options) => {
      const client = createApiClient(context.client());
      const accepted = await client.submit(bodyOf(prompt ?? (await readStdin()), options));
      const waits = options.wait || options.out !== undefined;
      const job = waits ? await follow(context, client, accepted) : accepted;
      if (job.status === 'succeeded' && options.out !== undefined)
        await save(context, client, job, options.out);
      if (options.json) context.print(JSON.stringify(job));
      else context.print(summary(job));
      if (waits && job.status !== 'succeeded') process.exitCode = 1;
    });
}

function bodyOf(prompt: string, options: Options): Record<string, unknown> {
  const { model, size, quality, n, preset, enhance, format } = options;
  const body = { prompt, model, size, quality, n, preset, enhance, output_format: format };
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

async function follow(context: CliContext, client: ApiClient, job: ImageJobView): Promise<ImageJobView> {
  const started = Date.now();
  const draws = context.drawsProgress();
  const clear = '\r\u001b[K';
  let state = job.status as string;
  const show = () => {
    if (!draws) return;
    process.stderr.write(`${clear}${state} ${Math.round((Date.now() - started) / 1000)} s`);
  };
  const ticker = setInterval(show, 1_000);
  try {
    for await (const event of client.events(job.id)) {
      state = event.stage ?? event.status;
      show();
      if (event.job) return event.job;
    }
    return await client.get(job.id);
  } finally {
    clearInterval(ticker);
    if (draws) process.stderr.write(clear);
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
