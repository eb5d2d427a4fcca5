import { z } from 'zod';
import { CatalogueFile } from '../domain/model-catalogue.ts';
import { PresetFile } from '../domain/preset.ts';
import { webhookScheduleSeconds } from '../domain/retry-schedule.ts';
import { parseWebhookSecret } from '../lib/crypto/webhook-secret.ts';
import { readOperatorFile } from '../lib/data-files.ts';
import { parseRedisTarget } from '../lib/redis/redis-target.ts';
import { withoutTrailingSlashes } from '../lib/trim-slashes.ts';
import { defineVariable, list, readBy, text, truth, url, type VariableSet, whole } from '../lib/variable.ts';
import { storageNames, storageSection, storageVariables } from '../outbound/storage/registry.ts';
import { apiKeys, modelMap, proxies, secretsKey } from './values.ts';

/**
 * Declares every environment variable. `config.ts` reads them; `docs/configuration.md` and `.env.example` are generated from them.
 * The variables of the storages are declared by the storages.
 */

export const roles = ['api', 'worker', 'webhooks'] as const;
export type Role = (typeof roles)[number];

const serving = 'Serving';
const redis = 'Redis and data';
const provider = 'Provider';
const prompts = 'Prompts';
const access = 'Keys and secrets';
const work = 'Work';
const webhooks = 'Webhooks';
const openAi = 'OpenAI-compatible API';
const limits = 'Limits and retention';
const commandLine = 'Command line';

export const variables = {
  HOST: defineVariable({
    section: serving,
    schema: text,
    fallback: '0.0.0.0',
    devFallback: '127.0.0.1',
    about: 'Address to listen on.',
  }),
  PORT: defineVariable({
    section: serving,
    schema: whole(0, 65_535),
    fallback: '8080',
    about: 'Port; 0 takes a free one.',
  }),
  ROLES: defineVariable({
    section: serving,
    schema: list.pipe(z.array(z.enum([...roles, 'all'])).min(1)),
    fallback: 'all',
    about: 'Which parts this process runs: `api`, `worker`, `webhooks`, comma-separated, or `all`.',
  }),
  PUBLIC_URL: defineVariable({
    section: serving,
    schema: url.transform(withoutTrailingSlashes),
    about:
      'Address under which callers reach Darkroom. When absent, links lead to the address that each request was sent to, and those in webhooks to the address of the order.',
  }),
  LOG_LEVEL: defineVariable({
    section: serving,
    schema: z.enum(['silent', 'error', 'warn', 'info', 'debug']),
    fallback: 'info',
    devFallback: 'warn',
    about: '`silent`, `error`, `warn`, `info` or `debug`.',
  }),
  TRUST_PROXY: defineVariable({
    section: serving,
    schema: proxies,
    about: 'Addresses or networks of proxies whose X-Forwarded headers are believed, comma-separated.',
  }),
  CORS_ORIGINS: defineVariable({
    section: serving,
    schema: list,
    about: 'Origins that browsers may call from, comma-separated. CORS is off when absent.',
  }),
  SHUTDOWN_GRACE_S: defineVariable({
    section: serving,
    schema: whole(0, 3600),
    fallback: '30',
    devFallback: '3',
    about: 'How long running work may finish after SIGTERM before it is handed back to the queue.',
  }),
  REDIS_URL: defineVariable({
    section: redis,
    schema: readBy((value) => parseRedisTarget(value)),
    secret: true,
    about:
      '`redis://`, `rediss://`, a socket path, or several hosts for a cluster. `darkroom dev` runs a Redis of its own when absent; everything else needs it.',
  }),
  REDIS_CLUSTER: defineVariable({
    section: redis,
    schema: truth,
    fallback: 'false',
    about: 'Whether REDIS_URL is a cluster.',
  }),
  REDIS_KEY_PREFIX: defineVariable({
    section: redis,
    schema: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be lower-case letters, digits and dashes'),
    fallback: 'darkroom',
    about: 'Start of every key, so that deployments can share a Redis.',
  }),
  REDIS_SERVER_BIN: defineVariable({
    section: redis,
    schema: text,
    about: 'The redis-server or valkey-server that `dev` runs.',
  }),
  DATA_DIR: defineVariable({
    section: redis,
    schema: text,
    fallback: './.darkroom',
    about:
      'Folder for the embedded data, the file storage and the spool of paid answers. Keep it on a real disk.',
  }),
  SPOOL_MAX_BYTES: defineVariable({
    section: redis,
    schema: whole(1, 1e15),
    fallback: '4294967296',
    about:
      'When the spool holds as much, the worker makes no new call until the storage has taken some of it.',
  }),
  STORAGE: defineVariable({
    section: storageSection,
    schema: z.enum(storageNames),
    fallback: 'filesystem',
    about: 'Where images are kept.',
  }),
  ...storageVariables,
  PROVIDER: defineVariable({
    section: provider,
    schema: z.enum(['openai', 'studio']),
    about:
      '`openai`, or `studio`: built-in offline images. In `dev` it is `openai` where a key is given, else `studio`.',
  }),
  OPENAI_API_KEY: defineVariable({
    section: provider,
    schema: text,
    secret: true,
    about: 'Key of the provider account.',
  }),
  OPENAI_BASE_URL: defineVariable({
    section: provider,
    schema: url,
    about: 'Another server that speaks the OpenAI API.',
  }),
  OPENAI_MODE: defineVariable({
    section: provider,
    schema: z.enum(['images', 'responses']),
    fallback: 'images',
    about:
      '`images`: one request per image. `responses`: images are made in the background of the Responses API, so that the death of a worker in the middle of a call costs nothing; a language model carries the call and may reword the prompt, and the provider keeps the data for about ten minutes.',
  }),
  RESPONSES_MODEL: defineVariable({
    section: provider,
    schema: text,
    fallback: 'gpt-5.4-mini',
    about: 'Language model that carries the calls where OPENAI_MODE is `responses`.',
  }),
  DEFAULT_MODEL: defineVariable({
    section: provider,
    schema: text,
    fallback: 'gpt-image-2.6-flare',
    about: 'Model of requests that name none.',
  }),
  CATALOGUE_FILE: defineVariable({
    section: provider,
    schema: readBy((path) => readOperatorFile(path, CatalogueFile)),
    about: 'Model catalogue that replaces the built-in one.',
  }),
  ALLOW_UNKNOWN_MODELS: defineVariable({
    section: provider,
    schema: truth,
    fallback: 'true',
    about: 'Whether models outside the catalogue pass, with a warning and without checks and costs.',
  }),
  ON_UNCERTAIN: defineVariable({
    section: provider,
    schema: z.enum(['retry', 'fail']),
    fallback: 'retry',
    about: 'What to do with a call of which nobody knows whether it was charged, unless the caller says.',
  }),
  MAX_PAID_ATTEMPTS: defineVariable({
    section: provider,
    schema: whole(1, 10),
    fallback: '2',
    about: 'Most calls for one image that were, or may have been, charged.',
  }),
  ON_QUOTA: defineVariable({
    section: provider,
    schema: z.enum(['fail', 'wait']),
    fallback: 'fail',
    about:
      'What jobs do while the provider account is refused (no credit, wrong key): `fail` at once or `wait`.',
  }),
  ENHANCE_MODEL: defineVariable({
    section: prompts,
    schema: text,
    fallback: 'gpt-5.4-mini',
    about: 'Language model that expands short prompts.',
  }),
  PRESETS_FILE: defineVariable({
    section: prompts,
    schema: readBy((path) => readOperatorFile(path, PresetFile)),
    about: 'More presets; the same name replaces a built-in one.',
  }),
  API_KEYS: defineVariable({
    section: access,
    schema: apiKeys,
    secret: true,
    about:
      'Bootstrap keys as `tenant:key`, comma-separated, with the scopes images:read, images:write and webhooks.',
  }),
  ADMIN_KEY: defineVariable({
    section: access,
    schema: text.regex(/^\S+$/, 'must be a key without spaces'),
    secret: true,
    about: 'A key with every scope, for the tenant `admin` only: it opens no other tenant.',
  }),
  SECRETS_KEY: defineVariable({
    section: access,
    schema: secretsKey,
    secret: true,
    about:
      '32 bytes in base64: signs links, derives and encrypts webhook secrets. Made and kept in DATA_DIR by `dev`.',
  }),
  WORKER_CONCURRENCY: defineVariable({
    section: work,
    schema: whole(1, 1000),
    fallback: '8',
    about: 'Jobs that one worker runs at the same time.',
  }),
  WEBHOOK_CONCURRENCY: defineVariable({
    section: work,
    schema: whole(1, 1000),
    fallback: '128',
    about:
      'Receivers that one webhook worker serves at the same time, each with a few connections; at most half of them of one tenant.',
  }),
  QUEUE_TTL_S: defineVariable({
    section: work,
    schema: whole(1, 604_800),
    fallback: '86400',
    about: 'How long a job waits before it expires, unless the caller says.',
  }),
  RUN_TIMEOUT_S: defineVariable({
    section: work,
    schema: whole(1, 7200),
    fallback: '1800',
    about: 'How long a job runs before it fails, unless the caller says.',
  }),
  WEBHOOK_SECRET: defineVariable({
    section: webhooks,
    schema: readBy(parseWebhookSecret),
    secret: true,
    about:
      'Signs the webhooks that orders name, of all tenants. When absent every tenant has a secret of its own: `darkroom keys webhook-secret`. Registered endpoints always have their own.',
  }),
  WEBHOOK_ALLOWED_NETWORKS: defineVariable({
    section: webhooks,
    schema: list.pipe(
      z.array(z.union([z.cidrv4(), z.cidrv6()], { error: 'must be networks as 10.0.0.0/8' })),
    ),
    about:
      'Private networks that webhooks may reach all the same, comma-separated, for deployments inside one. https and ordinary ports are still needed.',
  }),
  WEBHOOK_SCHEDULE_S: defineVariable({
    section: webhooks,
    schema: list.pipe(z.array(whole(0, 604_800)).min(1).max(30)),
    fallback: webhookScheduleSeconds.join(','),
    about:
      'Pauses before the attempts at a delivery in seconds, comma-separated, each counted from the attempt before it. The first stands for attempt 1, which is always made at once.',
  }),
  WEBHOOK_DISABLE_AFTER_S: defineVariable({
    section: webhooks,
    schema: whole(60, 31_536_000),
    fallback: '432000',
    about: 'An endpoint to which nothing could be delivered for so long is switched off.',
  }),
  WEBHOOK_LOG_TTL_S: defineVariable({
    section: webhooks,
    schema: whole(60, 31_536_000),
    fallback: '604800',
    about: 'How long deliveries stay in the log once they have ended, and can be sent again.',
  }),
  MAX_WEBHOOK_ENDPOINTS: defineVariable({
    section: webhooks,
    // One step of Redis writes an event for all of them: it takes 0.1 s for 1,000, in which Redis serves nobody else, and the
    // arguments of more than about 8,000 do not fit on the stack.
    schema: whole(1, 1_000),
    fallback: '100',
    about:
      'Most registered endpoints of one tenant; 1,000 at most, for an event is written for all of them in one step.',
  }),
  WEBHOOK_ALLOW_PRIVATE: defineVariable({
    section: webhooks,
    schema: truth,
    fallback: 'false',
    devFallback: 'true',
    about: 'Whether webhooks may go to private addresses and plain http. For development.',
  }),
  V1_MODEL_MAP: defineVariable({
    section: openAi,
    schema: modelMap,
    about:
      'Models for the names that OpenAI clients send, as `name=model`, comma-separated. `*` stands for every other name that the catalogue does not know or that is retired. The model `default` is DEFAULT_MODEL. Example: `dall-e-3=gpt-image-2.6-flare,*=default`.',
  }),
  V1_CANCEL_ON_DISCONNECT: defineVariable({
    section: openAi,
    schema: truth,
    fallback: 'false',
    about:
      'Whether the job of an OpenAI client that disconnects is canceled. By default the job goes on, and a repeated request joins it.',
  }),
  V1_INTERIM_RESPONSES: defineVariable({
    section: openAi,
    schema: z.enum(['auto', 'always', 'never']),
    fallback: 'auto',
    about:
      'Whether OpenAI clients that wait get `102 Processing` responses. `auto` sends them to direct clients that are known to skip them. Other clients get white space.',
  }),
  MAX_OPEN_JOBS: defineVariable({
    section: limits,
    schema: whole(1, 100_000_000),
    fallback: '100000',
    about: 'Most unfinished jobs of one tenant.',
  }),
  MEDIA_TTL_S: defineVariable({
    section: limits,
    schema: whole(60, 315_360_000),
    fallback: '2592000',
    about: 'How long images are kept, unless the caller says less.',
  }),
  RECORD_TTL_S: defineVariable({
    section: limits,
    schema: whole(60, 315_360_000),
    fallback: '7776000',
    about: 'How long records are kept, unless the caller says less.',
  }),
  LINK_TTL_S: defineVariable({
    section: limits,
    schema: whole(60, 604_800),
    fallback: '3600',
    about:
      'How long the links in an answer work, unless their image goes sooner; those in webhooks work for 7 days.',
  }),
  DARKROOM_URL: defineVariable({
    section: commandLine,
    schema: url,
    about: 'Service that `generate` and `webhooks` call; the one on this machine, at PORT, when absent.',
  }),
  DARKROOM_API_KEY: defineVariable({
    section: commandLine,
    schema: text,
    secret: true,
    about: 'Key with which they call it; the one that `dev` made in DATA_DIR when absent.',
  }),
  NO_COLOR: defineVariable({
    section: commandLine,
    schema: text,
    about: 'Set to anything, it keeps `generate` from drawing its progress on a terminal.',
  }),
  XDG_CACHE_HOME: defineVariable({
    section: commandLine,
    schema: text,
    about: 'Folder of caches, where `dev` keeps a fetched Redis; `~/.cache` when absent.',
  }),
  NODE_ENV: defineVariable({
    section: commandLine,
    schema: text,
    about:
      'Where it is `production`, or REDIS_URL is set, `doctor` examines what `serve` needs, else what `dev` needs.',
  }),
  PATH: defineVariable({
    section: commandLine,
    schema: text,
    inherited: true,
    about: 'Folders in which `dev` looks for redis-server or valkey-server, and for apt-get to fetch one.',
  }),
} as const satisfies VariableSet;

export type VariableName = keyof typeof variables;
