import type { FastifyInstance } from 'fastify';
import type { HttpContext } from '../context.ts';
import { cancelJobRoute } from './cancel-job.ts';
import { eraseJobRoute } from './erase-job.ts';
import { getFileRoute } from './get-file.ts';
import { getContentRoute } from './get-image-content.ts';
import { getJobRoute } from './get-job.ts';
import { listJobsRoute } from './list-jobs.ts';
import { listModelsRoute } from './list-models.ts';
import { listPresetsRoute } from './list-presets.ts';
import { probeRoutes } from './probes.ts';
import { retryJobRoute } from './retry-job.ts';
import { streamEventsRoute } from './stream-job-events.ts';
import { submitJobRoute } from './submit-job.ts';
import { webhookRoutes } from './webhooks/index.ts';

/** Every route of the service, in the order of the documentation. */
export const routes: readonly ((app: FastifyInstance, context: HttpContext) => void)[] = [
  submitJobRoute,
  listJobsRoute,
  getJobRoute,
  getContentRoute,
  streamEventsRoute,
  cancelJobRoute,
  retryJobRoute,
  eraseJobRoute,
  getFileRoute,
  listModelsRoute,
  listPresetsRoute,
  ...webhookRoutes,
  probeRoutes,
];
