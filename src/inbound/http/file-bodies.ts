import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../domain/errors.ts';
import { maxInputBytes } from '../../domain/input-image.ts';
import type { LocalFile, Staging } from '../../domain/ports.ts';
import { naming } from '../../usecases/inputs/inspect-input.ts';
import { hasJsonType } from './headers.ts';
import { callerOf } from './plugins/authenticate.ts';
import { type FormFile, type PointerOfFile, receiveForm } from './receive-form.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Files that the route accepts as multipart/form-data. A route without it accepts no files. */
    files?: FileRules;
  }
  interface FastifyRequest {
    /** Files of a request whose route accepts files. They are removed when the response has ended. */
    received: ReceivedFiles | null;
  }
}

export interface FileRules {
  readonly isFileField: (field: string) => boolean;
  /** Names of the fields of files, for people. */
  readonly fileFields: string;
  readonly maxFiles: number;
  /** Whether the texts of a field are items or lists of items as JSON. Default: no field. */
  readonly isListField?: (field: string) => boolean;
  /** Returns the pointer of a file of a form in errors. Default: its field. */
  readonly pointerOf?: PointerOfFile;
  /** Name of the field of a body that is the file itself, with any content type. Absent: such bodies are refused. */
  readonly rawField?: string;
  /** Converts the texts of a form to a body that the schema of the route validates. */
  readonly bodyOf: (fields: ReadonlyMap<string, string>) => unknown;
}

type FileStaging = Pick<Staging, 'write' | 'remove'>;
type ReceivedFiles = ReturnType<typeof createReceivedFiles>;

/** Accepts files in the routes that declare them. The bytes stream to the disk and are never held in memory. */
export function acceptFiles(app: FastifyInstance, staging: FileStaging): void {
  app.decorateRequest('received', null);
  app.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.files && !hasJsonType(request.headers)) {
      const received = createReceivedFiles(staging, (error) =>
        request.log.warn({ err: error }, 'received file not removed'),
      );
      request.received = received;
      // Whichever comes first: the response was sent, or the connection has ended.
      reply.raw.once('close', received.end);
    }
    done();
  });
  app.addContentTypeParser(
    'multipart/form-data',
    async (request: FastifyRequest, body: FastifyRequest['raw']) => {
      const rules = request.routeOptions.config.files;
      if (!rules || !request.received) throw unsupported(request);
      const { fields, files } = await receiveForm(request.headers, body, {
        ...rules,
        staging: stagingOf(request, staging),
      });
      request.received.add(files);
      return rules.bodyOf(fields);
    },
  );
  app.addContentTypeParser('*', async (request: FastifyRequest, body: FastifyRequest['raw']) => {
    const field = request.routeOptions.config.files?.rawField;
    if (request.headers['content-length'] === '0') return undefined;
    if (field === undefined || !request.received) throw unsupported(request);
    const file = await naming(`/${field}`, () => receiveRaw(body, stagingOf(request, staging)));
    request.received.add([{ field, file }]);
    return undefined;
  });
}

/** Returns the staging of a request, which counts its files towards its tenant. */
const stagingOf = (request: FastifyRequest, staging: FileStaging): FileStaging => ({
  write: (body, options) => staging.write(body, { ...options, tenant: callerOf(request).tenant }),
  remove: staging.remove,
});

/** Returns the files of a request. */
export function filesOf(request: FastifyRequest): readonly FormFile[] {
  return request.received?.list ?? [];
}

function createReceivedFiles(staging: FileStaging, onError: (error: unknown) => void) {
  const list: FormFile[] = [];
  let hasEnded = false;
  const removeAll = () => {
    for (const { file } of list.splice(0)) staging.remove(file).catch(onError);
  };
  return {
    list,
    add(files: readonly FormFile[]): void {
      list.push(...files);
      // The connection may end while the last bytes are written.
      if (hasEnded) removeAll();
    },
    end(): void {
      hasEnded = true;
      removeAll();
    },
  };
}

async function receiveRaw(body: FastifyRequest['raw'], staging: FileStaging): Promise<LocalFile> {
  try {
    // The iterator must not destroy the body, because that would close the connection before the response.
    return await staging.write(body.iterator({ destroyOnReturn: false }), { maxBytes: maxInputBytes });
  } catch (error) {
    // The rest is discarded, so that a client that still sends receives the response.
    body.resume();
    if (error instanceof AppError) throw error;
    throw new AppError('invalid_request', {
      detail: 'The body ends early. Send the whole file.',
      cause: error,
    });
  }
}

/** Returns the error of a body whose type the route does not take. It names the types that the route documents. */
function unsupported({ routeOptions }: FastifyRequest): AppError {
  const { body } = (routeOptions.schema ?? {}) as { body?: { content?: object } };
  const types = Object.keys(body?.content ?? { 'application/json': {} });
  return new AppError('unsupported_media_type', {
    detail: `Send the body with \`Content-Type: ${types.join('` or `')}\`.`,
  });
}
