import type { FastifyInstance } from 'fastify';
import { openAiRoutes } from '../openai-v1/index.ts';
import { adminRoutes } from './admin/index.ts';
import { cancelJobRoute } from './cancel-job.ts';
import { enhancePromptRoute } from './enhance-prompt.ts';
import { eraseJobRoute } from './erase-job.ts';
import { getFileRoute } from './get-file.ts';
import { getImageContentRoute } from './get-image-content.ts';
import { getJobRoute } from './get-job.ts';
import { keyRoutes } from './keys/index.ts';
import { listAuditRoute } from './list-audit.ts';
import { listJobsRoute } from './list-jobs.ts';
import { listModelsRoute } from './list-models.ts';
import { listPresetsRoute } from './list-presets.ts';
import { llmsTextRoute } from './llms-text.ts';
import { mcpRoute } from './mcp.ts';
import { probeRoutes } from './probes.ts';
import { retryJobRoute } from './retry-job.ts';
import { streamJobEventsRoute } from './stream-job-events.ts';
import { streamTenantEventsRoute } from './stream-tenant-events.ts';
import { submitJobRoute } from './submit-job.ts';
import { tenantRoutes } from './tenants/index.ts';
import { uploadRoutes } from './uploads/index.ts';
import { usageRoutes } from './usage/index.ts';
import { varyJobRoute } from './vary-job.ts';
import { webhookRoutes } from './webhooks/index.ts';

/** Routes of the service in the order of the documentation. The type of each route declares its dependencies. */
export const routes = [
  submitJobRoute,
  listJobsRoute,
  getJobRoute,
  getImageContentRoute,
  streamJobEventsRoute,
  streamTenantEventsRoute,
  cancelJobRoute,
  retryJobRoute,
  varyJobRoute,
  eraseJobRoute,
  enhancePromptRoute,
  ...uploadRoutes,
  getFileRoute,
  listModelsRoute,
  listPresetsRoute,
  ...webhookRoutes,
  ...keyRoutes,
  ...tenantRoutes,
  ...usageRoutes,
  listAuditRoute,
  ...adminRoutes,
  ...openAiRoutes,
  mcpRoute,
  llmsTextRoute,
  probeRoutes,
] as const;

/** Dependencies of all routes together. */
export type RouteDeps = [(typeof routes)[number]] extends [
  (app: FastifyInstance, deps: infer Deps) => unknown,
]
  ? Deps
  : never;
