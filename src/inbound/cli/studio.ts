import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { wholeNumber } from './numbers.ts';

interface Options {
  host: string;
  port: number;
  latency: number;
  json?: boolean;
}

/** Adds `darkroom studio`, which runs the offline provider alone. */
export function addStudio(program: Command, context: CliContext): void {
  program
    .command('studio')
    .description(
      'run the offline provider alone: an OpenAI-compatible server that draws images on this machine, see docs/studio.md',
    )
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 is any free port', wholeNumber(0, 65_535), 8090)
    .option('--latency <ms>', 'delay of every response in milliseconds', wholeNumber(0, 3_600_000), 0)
    .option('--json', 'print the base URL as JSON')
    .action(async ({ host, port, latency, json }: Options) => {
      const baseUrl = await context.runStudio({ host, port, latencyMs: latency });
      context.print(json ? JSON.stringify({ base_url: baseUrl }) : introduction(baseUrl, context.version));
    });
}

/** Returns the first output of `studio`: its base URL and two commands to paste. */
function introduction(baseUrl: string, version: string): string {
  return `
Darkroom studio ${version}, an offline OpenAI-compatible server. Nothing is charged, and any API key works.

  Base URL   ${baseUrl}

Generate an image with an OpenAI client, or with curl:

  OPENAI_BASE_URL=${baseUrl} OPENAI_API_KEY=any node your-program.js
  curl -s ${baseUrl}/images/generations -H 'Authorization: Bearer any' -H 'Content-Type: application/json' -d '{"prompt":"A lighthouse in a storm"}' | node -p "JSON.parse(require('fs').readFileSync(0)).data[0].b64_json" | base64 -d > image.png

Ctrl-C stops it.`;
}
