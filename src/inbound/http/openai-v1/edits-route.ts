import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Inputs } from '../../../usecases/inputs/index.ts';
import { refuseWhileDraining } from '../draining.ts';
import { editFilesOfForm, limitTexts, refuseTexts, roleOfField, withInputs } from '../edit-form.ts';
import { filesOf } from '../file-bodies.ts';
import { typedFields } from '../form-fields.ts';
import { ref } from '../json-schema.ts';
import { maxDataBodyBytes } from '../max-body-size.ts';
import { asAppError } from '../problem.ts';
import { components } from '../schemas/index.ts';
import { imagesHeaders, imagesResponses } from './documented-responses.ts';
import { type EditBody, imageRequired, paramOfEdit, pointerOfEdit, separateInputs } from './edit-body.ts';
import { withoutNulls } from './generation-body.ts';
import { createImagesCall, type ImagesCallDeps } from './images-call.ts';
import { mapRequest } from './map-request.ts';
import { sendOpenAiError } from './problem.ts';
import { openAiRoute } from './route-options.ts';

interface Deps extends ImagesCallDeps {
  readonly inputs: Pick<Inputs, 'collectInputs'>;
}

const path = '/v1/images/edits';

/** Files of the form. A text instead of a file is refused, because the job would cost money without it. */
const files = editFilesOfForm((fields) => {
  refuseTexts(fields);
  return typedFields(withoutEmptyTexts(fields), components.OpenAiEditForm ?? {}, (name) => components[name]);
});

/** `POST /v1/images/edits`: edits images with a job, by the contract of OpenAI's API. */
export function editsRoute(app: FastifyInstance, deps: Deps): void {
  const call = createImagesCall(deps, { path, events: 'image_edit' });
  const options = openAiRoute('images:write');
  app.route<{ Body: EditBody }>({
    method: 'POST',
    url: path,
    config: { ...options.config, files },
    errorHandler: sendEditError,
    bodyLimit: maxDataBodyBytes,
    schema: {
      operationId: 'createOpenAiImageEdit',
      summary: 'Edit images (OpenAI-compatible)',
      description:
        'Takes a form with files, or JSON with addresses, data URLs and file ids. Responds when the edited images are stored. The inputs are checked before the job is accepted. The job is durable: it continues if the caller disconnects, and a repeated request joins it. JSON `null` means absent.',
      tags: ['openai'],
      body: {
        content: {
          'application/json': { schema: ref('OpenAiEditRequest') },
          'multipart/form-data': { schema: ref('OpenAiEditForm') },
        },
      },
      headers: imagesHeaders,
      response: imagesResponses(path, { hasInputs: true }),
    },
    preValidation: async (request) => {
      request.body = withoutNulls(request.body) as EditBody;
      limitTexts(request as FastifyRequest);
    },
    handler: async (request, reply) => {
      // A request without a body and its type passes the validation.
      const { fields, inputs: named } = separateInputs(request.body ?? {});
      if (!named.images && countImages(request as FastifyRequest) === 0) throw imageRequired();
      const mapped = mapRequest(fields, deps.openAi.models);
      refuseWhileDraining(deps.draining);
      const accepted = await withInputs(
        deps.inputs,
        { request: request as FastifyRequest, body: { ...mapped.body, ...named } },
        (body, inputs) =>
          call.submit(request as FastifyRequest, reply as FastifyReply, { mapped, body, fields, inputs }),
      );
      return call.send(request as FastifyRequest, reply as FastifyReply, accepted);
    },
  });
}

/** Returns the texts of a form that are not empty, because Open WebUI sends an empty `model` if no model is configured. */
const withoutEmptyTexts = (fields: ReadonlyMap<string, string>) =>
  new Map([...fields].filter(([, text]) => text !== ''));

const countImages = (request: FastifyRequest): number =>
  filesOf(request).filter(({ field }) => roleOfField(field) === 'image').length;

/** Responds with an error whose `param` is the field that the caller sent. */
function sendEditError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // A form whose reading failed has no files any more.
  const minFiles = request.headers['content-type']?.startsWith('multipart/') ? 1 : 0;
  const imageFiles = Math.max(minFiles, countImages(request));
  return sendOpenAiError(request, reply, {
    error: asAppError(error, request.routeOptions.bodyLimit),
    nameParam: (param) => paramOfEdit(param, imageFiles),
    // The pointer of a file is that of the native API, because a form has no JSON to point into.
    namePointer: imageFiles === 0 ? pointerOfEdit : (pointer) => pointer,
  });
}
