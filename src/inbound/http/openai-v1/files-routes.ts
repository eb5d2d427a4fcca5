import type { FastifyInstance } from 'fastify';
import { AppError } from '../../../domain/errors.ts';
import type { Inputs } from '../../../usecases/inputs/index.ts';
import { refuseWhileDraining } from '../draining.ts';
import { type FileRules, filesOf } from '../file-bodies.ts';
import { typedFields } from '../form-fields.ts';
import { ref } from '../json-schema.ts';
import { authorOf } from '../manager.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { uploadParams } from '../responses.ts';
import { components } from '../schemas/index.ts';
import { readResponses } from './documented-responses.ts';
import { type OpenAiFileForm, viewFile } from './files.ts';
import { openAiRoute } from './route-options.ts';

interface Deps {
  readonly inputs: Pick<Inputs, 'createUpload'> & {
    readonly uploads: Pick<Inputs['uploads'], 'get' | 'remove'>;
  };
  readonly draining: AbortSignal;
}

const path = '/v1/files';
const onePath = '/v1/files/{id}';
const fileField = 'file';
/** Maximum length of the name of a file, which is stored. */
const maxNameLength = 255;

const files: FileRules = {
  isFileField: (field) => field === fileField,
  fileFields: fileField,
  maxFiles: 1,
  // The schema requires the file, whose bytes are no part of the body any more.
  bodyOf: (fields) => ({
    [fileField]: '',
    ...typedFields(fields, components.OpenAiFileForm ?? {}, (name) => components[name]),
  }),
};

/** `POST /v1/files`, `GET /v1/files/{id}`, `DELETE /v1/files/{id}`: uploads in the form of OpenAI's files. */
export function filesRoutes(app: FastifyInstance, deps: Deps): void {
  createRoute(app, deps);
  readRoutes(app, deps.inputs.uploads);
}

function createRoute(app: FastifyInstance, { inputs, draining }: Deps): void {
  const options = openAiRoute('images:write');
  app.route<{ Body: OpenAiFileForm }>({
    method: 'POST',
    url: path,
    ...options,
    config: { ...options.config, files },
    schema: {
      operationId: 'createOpenAiFile',
      summary: 'Upload a file (OpenAI-compatible)',
      description:
        'Stores an image as an upload. Location and device data are removed, and turned pixels are set upright. Edits use it by its id.',
      tags: ['openai'],
      body: { content: { 'multipart/form-data': { schema: ref('OpenAiFileForm') } } },
      response: readResponses(
        path,
        'OpenAiFile',
        'invalid_json',
        'payload_too_large',
        'unsupported_media_type',
        'input_invalid',
        'too_many_uploads',
        'shutting_down',
        'storage_unavailable',
        'storage_failed',
      ),
    },
    handler: async (request) => {
      refuseWhileDraining(draining);
      const [received] = filesOf(request as never);
      if (!received) {
        throw new AppError('validation_failed', {
          detail: 'Send the image as field `file` of a form.',
          issues: [{ pointer: `/${fileField}`, detail: 'is required' }],
        });
      }
      const { purpose, expires_after } = request.body;
      const upload = await inputs.createUpload(callerOf(request).tenant, received.file, {
        pointer: `/${fileField}`,
        purpose,
        ...(received.fileName ? { fileName: received.fileName.slice(0, maxNameLength) } : {}),
        ttlMs: expires_after && expires_after.seconds * 1000,
      });
      return viewFile(upload);
    },
  });
}

function readRoutes(app: FastifyInstance, uploads: Deps['inputs']['uploads']): void {
  app.route<{ Params: { id: string } }>({
    method: 'GET',
    url: '/v1/files/:id',
    ...openAiRoute('images:read'),
    schema: {
      operationId: 'getOpenAiFile',
      summary: 'Read a file (OpenAI-compatible)',
      description: 'An expired file is not found.',
      tags: ['openai'],
      params: uploadParams,
      response: readResponses(onePath, 'OpenAiFile', 'not_found', 'uri_too_long'),
    },
    handler: async (request) => viewFile(await uploads.get(callerOf(request).tenant, request.params.id)),
  });

  app.route<{ Params: { id: string } }>({
    method: 'DELETE',
    url: '/v1/files/:id',
    ...openAiRoute('images:write'),
    schema: {
      operationId: 'deleteOpenAiFile',
      summary: 'Delete a file (OpenAI-compatible)',
      description: 'Jobs that used the file keep their own copies.',
      tags: ['openai'],
      params: uploadParams,
      response: readResponses(
        onePath,
        'OpenAiDeletedFile',
        'not_found',
        'uri_too_long',
        'unsupported_media_type',
        'storage_unavailable',
        'storage_failed',
      ),
    },
    handler: async (request) => {
      const { id } = request.params;
      await uploads.remove(authorOf(request), id);
      return { id, object: 'file', deleted: true };
    },
  });
}
