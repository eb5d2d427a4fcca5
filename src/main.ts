#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import closeWithGrace from 'close-with-grace';
import { intendedMode, loadConfig, processEnv, terminalImages } from './config/config.ts';
import { describeConfig } from './config/describe-config.ts';
import type { CliContext, StartedService } from './inbound/cli/context.ts';
import { describeFailure } from './inbound/cli/describe-failure.ts';
import { openInBrowser } from './inbound/cli/open-in-browser.ts';
import { createProgram } from './inbound/cli/program.ts';
import { webhookSecretOf } from './lib/crypto/webhook-secret.ts';
import { collectInFullLessOften } from './lib/heap.ts';
import { createLogger } from './lib/logger.ts';
import { packageVersion } from './lib/package-version.ts';
import { systemCode } from './lib/system-code.ts';
import { diagnose } from './usecases/maintenance/diagnose.ts';

// A command imports its own modules lazily, so that the other commands start in a fraction of the time.
let env: NodeJS.ProcessEnv;
const quiet = createLogger({ level: 'silent', pretty: false });

/** Builds and starts the service. A signal stops it. */
async function runService(
  mode: 'serve' | 'dev',
  options: { say: (line: string) => void },
): Promise<StartedService> {
  collectInFullLessOften();
  const config = loadConfig(env, mode);
  const { compose } = await import('./compose/index.ts');
  const log = createLogger({ level: config.LOG_LEVEL, pretty: process.stdout.isTTY });
  const service = await compose(config, { log, say: options.say });
  // A closed terminal ends `dev` with SIGHUP. A server has no terminal, and the signal means a reload.
  const reloads = mode === 'serve';
  if (reloads) process.on('SIGHUP', service.reload);
  // The drain has its own limit. This limit covers a hang after the drain. A failed start ends without it.
  closeWithGrace(
    {
      delay: config.SHUTDOWN_GRACE_S * 1000 + 20_000,
      logger: false,
      skip: ['beforeExit', ...(reloads ? (['SIGHUP'] as const) : [])],
    },
    async ({ err, signal }) => {
      if (err) log.fatal({ err }, 'unexpected error, stopping');
      else log.info({ signal }, 'stopping');
      await service.close();
    },
  );
  const url = await service.start();
  const { environment } = service;
  log.info({ address: url, roles: [...config.roles] }, 'listening');
  return {
    url,
    publicUrl: config.PUBLIC_URL,
    redis: environment.redis.managed ? `${environment.redis.text}, data in ${config.DATA_DIR}` : 'REDIS_URL',
    storage: service.storage,
    provider: environment.provider.name,
    devApiKey: environment.devApiKey,
    signInToken: service.signInToken,
    roles: [...config.roles],
  };
}

function secretFor(tenant: string): string {
  const config = loadConfig(env, 'tool');
  if (config.WEBHOOK_SECRET) return config.WEBHOOK_SECRET;
  const key = config.SECRETS_KEY ?? devFile(config.DATA_DIR, 'secrets-key');
  if (!key) throw new Error('Set SECRETS_KEY as the service has it.');
  return webhookSecretOf(typeof key === 'string' ? Buffer.from(key, 'base64') : key, tenant);
}

function devFile(dataDir: string, name: string): string | undefined {
  try {
    return readFileSync(join(dataDir, name), 'utf8').trim();
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    return undefined;
  }
}

/** Starts the offline provider without the service. A signal stops it. */
async function runStudio(options: { host: string; port: number; latencyMs: number }): Promise<string> {
  const { composeStudio } = await import('./compose/studio.ts');
  const studio = await composeStudio(options);
  closeWithGrace({ delay: 5_000, logger: false, skip: ['beforeExit'] }, () => studio.stop());
  return studio.baseUrl;
}

/** The first failure of standard output. */
let outputFailure: Error | undefined;

/** Waits until everything was written. The failure of an earlier write is the reason of a later one. */
async function flushOutput(): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write('', (error) => {
      const reason = outputFailure ?? error;
      if (reason) reject(reason);
      else resolve();
    });
  });
}

const context: CliContext = {
  version: packageVersion(),
  print: (line) => void process.stdout.write(`${line}\n`),
  printed: flushOutput,
  printError: (line) => void process.stderr.write(`${line}\n`),
  drawsProgress: () => process.stderr.isTTY && loadConfig(env, 'tool').NO_COLOR === undefined,
  imageProtocol: () => (process.stdout.isTTY ? terminalImages(env) : undefined),
  openLink: async (url) => (process.stdout.isTTY ? openInBrowser(url) : undefined),
  runService,
  runStudio,
  async withKeys(work) {
    const { withKeys } = await import('./compose/tools.ts');
    return withKeys(loadConfig(env, 'tool'), quiet, work);
  },
  async withBreaker(work) {
    const { withBreaker } = await import('./compose/tools.ts');
    return withBreaker(loadConfig(env, 'tool'), quiet, work);
  },
  async withUsage(work) {
    const { withUsage } = await import('./compose/usage-tools.ts');
    return withUsage(loadConfig(env, 'tool'), quiet, work);
  },
  webhookSecretOf: secretFor,
  async diagnose() {
    const { composeChecks } = await import('./compose/checks.ts');
    return diagnose(composeChecks(env, quiet));
  },
  // Uses the defaults of `dev` if `dev` would run here. Variables that only `serve` requires may be absent.
  describeConfig: () => describeConfig(loadConfig(env, intendedMode(env) === 'dev' ? 'dev' : 'tool')),
  openApiDocument: async (format) => (await import('./compose/document.ts')).composeDocument(format),
  isRemote() {
    const { DARKROOM_URL, REDIS_URL } = loadConfig(env, 'tool');
    return DARKROOM_URL !== undefined && REDIS_URL === undefined;
  },
  client: () => {
    const { DARKROOM_URL, DARKROOM_API_KEY, DATA_DIR, PORT } = loadConfig(env, 'tool');
    return {
      url: DARKROOM_URL ?? `http://localhost:${PORT}`,
      apiKey: DARKROOM_API_KEY ?? devFile(DATA_DIR, 'dev-api-key'),
    };
  },
};

process.stdout.on('error', (error) => {
  const isFirst = outputFailure === undefined;
  outputFailure ??= error;
  // A reader that closes a pipe early, such as `head`, has read enough. The work of a command continues.
  if (!isFirst || systemCode(error) === 'EPIPE') return;
  process.stderr.write(`Standard output cannot be written: ${error.message}.\n`);
  process.exitCode = 1;
});
// A failure of standard error cannot be reported anywhere.
process.stderr.on('error', () => {});

try {
  env = processEnv();
  await createProgram(context).parseAsync();
} catch (error) {
  process.stderr.write(`${describeFailure(error)}\n`);
  process.exitCode = 1;
}
