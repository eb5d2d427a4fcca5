import type { FastifyInstance } from 'fastify';
import { createHttpApp } from '../inbound/http/app.ts';
import { createModelMap, modelsIn } from '../inbound/http/openai-v1/model-map.ts';
import { createMcp, type Mcp } from '../inbound/mcp/index.ts';
import { createFileLinks } from '../lib/crypto/file-link.ts';
import { createKeyedDigest } from '../lib/crypto/keyed-digest.ts';
import { packageVersion } from '../lib/package-version.ts';
import { createTenantSlots } from '../lib/tenant-slots.ts';
import type { Adapters } from './adapters.ts';
import { clock } from './clock.ts';
import type { composeConsole } from './console.ts';
import { retentionOf } from './retention.ts';
import type { Root } from './root.ts';
import type { UseCases } from './use-cases.ts';

/** Maximum number of long polls and event streams in one process. Each of them costs about 20 KiB of memory. */
const maxStreams = 20_000;

/** Parts that the HTTP server serves. */
interface Served {
  readonly adapters: Adapters;
  readonly useCases: UseCases;
  readonly console: ReturnType<typeof composeConsole>;
}

/** Builds the HTTP server. */
export function composeHttp(root: Root, { adapters, useCases, console }: Served): Promise<FastifyInstance> {
  const { config, environment, draining, log } = root;
  return createHttpApp(
    {
      authenticate: useCases.access.authenticate,
      limitRequests: useCases.access.limitRequests,
      access: useCases.access,
      jobs: useCases.jobs,
      inputs: useCases.inputs,
      staging: adapters.staging,
      sharedImages: adapters.sharedImages,
      webhooks: useCases.webhooks,
      usage: useCases.usage,
      checkReadiness: useCases.maintenance.checkReadiness,
      maintenance: useCases.maintenance,
      catalogue: adapters.catalogue,
      presets: adapters.presets,
      metrics: adapters.metrics,
      fileLinks: createFileLinks(environment.secretsKey),
      longPollSlots: createTenantSlots({ max: maxStreams, maxPerTenant: config.MAX_OPEN_STREAMS }),
      sharesWebhookSecret: config.WEBHOOK_SECRET !== undefined,
      linkSeconds: config.LINK_TTL_S,
      draining,
      gracefulWaits: root.gracefulWaits,
      openAi: {
        models: createModelMap(
          config.V1_MODEL_MAP ?? [],
          modelsIn(adapters.catalogue, { clock, defaultModel: config.DEFAULT_MODEL }),
        ),
        interimResponses: config.V1_INTERIM_RESPONSES,
        keepAliveSeconds: config.V1_KEEP_ALIVE_S,
        cancelOnDisconnect: config.V1_CANCEL_ON_DISCONNECT,
      },
      mcp: composeMcp(root, adapters, useCases),
      console,
      defaultModel: config.DEFAULT_MODEL,
      clock,
    },
    {
      logger: log,
      version: packageVersion(),
      publicUrl: config.PUBLIC_URL,
      trustProxy: config.TRUST_PROXY,
      corsOrigins: config.CORS_ORIGINS,
      servesCallers: config.roles.has('api'),
    },
  );
}

/** Builds the server of the Model Context Protocol. */
function composeMcp({ config, environment, log }: Root, adapters: Adapters, { jobs, inputs }: UseCases): Mcp {
  return createMcp({
    jobs,
    inputs,
    catalogue: adapters.catalogue,
    presets: adapters.presets,
    estimate: adapters.estimate,
    thumbnailMaker: adapters.thumbnailMaker,
    linkSeconds: config.LINK_TTL_S,
    retentionOf: retentionOf(config),
    version: packageVersion(),
    keyedDigest: createKeyedDigest(environment.secretsKey, 'darkroom mcp calls v1'),
    clock,
    log,
  });
}
