import type { FastifyInstance } from 'fastify';
import type { HttpContext } from '../context.ts';
import { cancelImageRoute } from './cancel-image.ts';
import { eraseImageRoute } from './erase-image.ts';
import { getContentRoute } from './get-content.ts';
import { getFileRoute } from './get-file.ts';
import { getImageRoute } from './get-image.ts';
import { listImagesRoute } from './list-images.ts';
import { listModelsRoute } from './list-models.ts';
import { listPresetsRoute } from './list-presets.ts';
import { probeRoutes } from './probes.ts';
import { retryImageRoute } from './retry-image.ts';
import { streamEventsRoute } from './stream-events.ts';
import { submitImageRoute } from './submit-image.ts';
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
