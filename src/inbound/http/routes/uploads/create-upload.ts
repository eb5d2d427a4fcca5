import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../../../domain/errors.ts';
import { pointerToken } from '../../../../domain/json-pointer.ts';
import { viewUpload } from '../../../../domain/upload.ts';
import type { Inputs } from '../../../../usecases/inputs/index.ts';
import { refuseWhileDraining } from '../../draining.ts';
import { filesOf } from '../../file-bodies.ts';
import { ref } from '../../json-schema.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { type FormFile, fileExpected } from '../../receive-form.ts';
import { header, json, problems } from '../../responses.ts';

interface Deps {
  readonly inputs: Pick<Inputs, 'createUpload'>;
  readonly draining: AbortSignal;
}

const fileField = 'file';
const binary = { type: 'string', format: 'binary' };

/** Documented bodies of an upload. */
const uploadBody = {
  content: {
    'multipart/form-data': { schema: ref('UploadForm') },
    'image/png': { schema: binary },
    'image/jpeg': { schema: binary },
    'image/webp': { schema: binary },
    'application/octet-stream': { schema: binary },
  },
};

/** `POST /uploads`: stores a file that jobs can use as an input. */
export function createUploadRoute(app: FastifyInstance, { inputs, draining }: Deps): void {
  const { validatorCompiler: compile } = app;
  if (!compile) throw new Error('the app has no validator');
  app.route({
    method: 'POST',
    url: '/uploads',
    config: {
      scope: 'images:write',
      files: {
        isFileField: (field) => field === fileField,
        fileFields: fileField,
        maxFiles: 1,
        rawField: fileField,
        // The schema of the form is documentation, because the file is no part of the body any more.
        bodyOf: (fields) => Object.fromEntries(fields),
      },
    },
    // The body is checked below: files have no JSON Schema.
    validatorCompiler: (part) => (part.httpPart === 'body' ? () => true : compile(part)),
    schema: {
      operationId: 'createUpload',
      summary: 'Upload an image',
      description:
        'Stores a PNG, JPEG or WebP file of at most 50 MB, as field `file` of a form or as the body. Location and device data are removed, and turned pixels are set upright. A file without them is stored byte for byte.',
      tags: ['uploads'],
      body: uploadBody,
      response: {
        201: json('The upload', 'Upload', {
          headers: { location: header.location, 'cache-control': header.cacheControl },
        }),
        ...problems(
          { body: true },
          'input_invalid',
          'too_many_uploads',
          'storage_unavailable',
          'storage_failed',
          'shutting_down',
        ),
      },
    },
    handler: async (request, reply) => {
      refuseWhileDraining(draining);
      const received = onlyFile(request);
      const upload = await inputs.createUpload(callerOf(request).tenant, received.file, {
        pointer: `/${fileField}`,
      });
      return reply
        .code(201)
        .header('location', `/uploads/${upload.id}`)
        .header('cache-control', 'no-store')
        .send(viewUpload(upload));
    },
  });
}

/** Returns the file of an upload. Refuses fields besides it, so that a typo is noticed. */
function onlyFile(request: FastifyRequest): FormFile {
  const [received] = filesOf(request);
  const issues = Object.keys(request.body ?? {}).map((name) => ({
    pointer: `/${pointerToken(name)}`,
    detail: name === fileField ? fileExpected(name) : 'is not a known field',
  }));
  if (received && issues.length === 0) return received;
  const pointer = `/${fileField}`;
  const isNamed = received !== undefined || issues.some((issue) => issue.pointer === pointer);
  throw new AppError('validation_failed', {
    detail: received
      ? 'Correct the fields listed in errors.'
      : 'Send the image as field `file` of a form, or as the body.',
    issues: isNamed ? issues : [...issues, { pointer, detail: 'is required' }],
  });
}
