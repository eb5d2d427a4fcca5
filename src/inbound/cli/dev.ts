import type { Command } from 'commander';
import type { CliContext, StartedService } from './context.ts';

/** Adds `darkroom dev`, which runs all roles in one process on embedded defaults. */
export function addDev(program: Command, context: CliContext): void {
  program
    .command('dev')
    .description(
      'run everything on this machine: its own Redis, file storage, offline images without OPENAI_API_KEY',
    )
    .action(async () => {
      const service = await context.runService('dev', { say: (line) => context.print(line) });
      context.print(welcome(service, context.version));
    });
}

/** Returns the first output of `dev`: addresses, dependencies, a key and two commands to paste. */
export function welcome(service: StartedService, version: string): string {
  const { url, publicUrl, devApiKey = 'YOUR_KEY', signInToken } = service;
  const provider =
    service.provider === 'studio'
      ? 'studio, OFFLINE IMAGES drawn on this machine, nothing is charged; set OPENAI_API_KEY for real ones'
      : 'openai';
  const uses = [
    // The fragment of an address never reaches a server or its log.
    ['Console', `${url}/console${signInToken ? `#token=${signInToken}` : ''}`],
    ...(publicUrl ? [['Links', publicUrl]] : []),
    ['Redis', service.redis],
    ['Storage', service.storage],
    ['Provider', provider],
    ['API key', devApiKey],
    ['Docs', `${url}/docs`],
  ];
  return `
Darkroom ${version} listens on ${url}

${uses.map(([name = '', value]) => `  ${name.padEnd(10)} ${value}`).join('\n')}

Generate an image:

  curl -s ${url}/images -H 'Authorization: Bearer ${devApiKey}' -H 'Content-Type: application/json' -H 'Prefer: wait=50' -d '{"prompt":"A lighthouse in a storm, oil on canvas","size":"1024x1024"}' | tee job.json

Download it:

  curl -s -o image.png "$(node -p "require('./job.json').images[0].url")"

Ctrl-C stops the service and its Redis. Jobs and images stay for the next start.`;
}
