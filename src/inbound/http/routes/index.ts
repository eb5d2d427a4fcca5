import type { FastifyInstance } from 'fastify';
import type { HttpContext } from '../context.ts';
import { cancelImageRoute } from './cancel-job.ts';
import { eraseImageRoute } from './erase-job.ts';
import { getFileRoute } from './get-file.ts';
import { getContentRoute } from './get-image-content.ts';
import { getImageRoute } from './get-job.ts';
import { listImagesRoute } from './list-jobs.ts';
import { listModelsRoute } from './list-models.ts';
import { listPresetsRoute } from './list-presets.ts';
import { probeRoutes } from './probes.ts';
import { retryImageRoute } from './retry-job.ts';
import { streamEventsRoute } from './stream-job-events.ts';
import { submitImageRoute } from './submit-job.ts';
import { webhookRoutes } from './webhooks/index.ts';

/** Every route of the service, in the order of the documentation. */
export const routes: readonly ((app: FastifyInstance, context: HttpContext) => void)[] = [
  submitImageRoute,
  listImagesRoute,
  getImageRoute,
  getContentRoute,
  streamEventsRoute,
  cancelImageRoute,
  retryImageRoute,
  eraseImageRoute,
  getFileRoute,
  listModelsRoute,
  listPresetsRoute,
  ...webhookRoutes,
  probeRoutes,
];
