import { Command } from 'commander';
import { addCompletion } from './completion.ts';
import { addConfig } from './config.ts';
import type { CliContext } from './context.ts';
import { addDev } from './dev.ts';
import { addDoctor } from './doctor.ts';
import { addGenerate } from './generate.ts';
import { addJobs } from './jobs.ts';
import { addKeys } from './keys.ts';
import { addOpenapi } from './openapi.ts';
import { addProvider } from './provider.ts';
import { addServe } from './serve.ts';
import { addStudio } from './studio.ts';
import { addUsage } from './usage.ts';
import { addWebhooks } from './webhooks/index.ts';

/** Creates the command line. Every subcommand has its own file. */
export function createProgram(context: CliContext): Command {
  const program = new Command('darkroom')
    .description('Images from an API: durable jobs, honest costs, one payment per image.')
    .version(context.version);
  const commands = [
    addServe,
    addDev,
    addStudio,
    addKeys,
    addProvider,
    addUsage,
    addWebhooks,
    addDoctor,
    addConfig,
    addGenerate,
    addJobs,
    addOpenapi,
    addCompletion,
  ];
  for (const add of commands) add(program, context);
  return program;
}
