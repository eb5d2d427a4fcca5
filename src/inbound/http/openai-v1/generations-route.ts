import type { FastifyInstance } from 'fastify';
import { refuseWhileDraining } from '../draining.ts';
import { ref } from '../json-schema.ts';
import { imagesHeaders, imagesResponses } from './documented-responses.ts';
import { type GenerationBody, withoutNulls } from './generation-body.ts';
import { createImagesCall, type ImagesCallDeps } from './images-call.ts';
import { mapRequest } from './map-request.ts';
import { openAiRoute } from './route-options.ts';

const path = '/v1/images/generations';

/** `POST /v1/images/generations`: generates images with a job, by the contract of OpenAI's API. */
export function generationsRoute(app: FastifyInstance, deps: ImagesCallDeps): void {
  const call = createImagesCall(deps, { path, events: 'image_generation' });
  app.route<{ Body: GenerationBody }>({
    method: 'POST',
    url: path,
    ...openAiRoute('images:write'),
    schema: {
      operationId: 'createOpenAiImage',
      summary: 'Generate images (OpenAI-compatible)',
      description:
        'Takes the request of an OpenAI client and responds when the images are stored. The job is durable: it continues if the caller disconnects, and a repeated request joins it. JSON `null` means absent.',
      tags: ['openai'],
      body: ref('OpenAiGenerationRequest'),
      headers: imagesHeaders,
      response: imagesResponses(path, { hasInputs: false }),
    },
    preValidation: async (request) => {
      request.body = withoutNulls(request.body) as GenerationBody;
    },
    handler: async (request, reply) => {
      const mapped = mapRequest(request.body, deps.openAi.models);
      refuseWhileDraining(deps.draining);
      const { body } = mapped;
      const accepted = await call.submit(request, reply, { mapped, body, fields: request.body });
      return call.send(request, reply, accepted);
    },
  });
}
