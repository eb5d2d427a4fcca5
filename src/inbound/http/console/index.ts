import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../../domain/errors.ts';
import { type ConsoleFiles, type ServedFile, serveFiles } from './console-files.ts';
import type { SignInLink } from './sign-in-link.ts';

/** Dependencies of the console. */
export interface ConsoleDeps {
  /** Returns the built files; null if this build has none. Called for every page, and resolves the same object until they change. */
  readonly loadFiles: () => Promise<ConsoleFiles | null>;
  /** Origins of image bytes besides this service. */
  readonly imageOrigins: readonly string[];
  /** Whether images come from a real provider. */
  readonly isLive: boolean;
  readonly version: string;
  /** The link that `dev` prints. Undefined outside `dev`. */
  readonly signInLink: Pick<SignInLink, 'redeem'> | undefined;
}

const home = '/console';
const maxTokenLength = 64;

/**
 * Serves the web console at `/console`, without a key, because its files hold no secrets. Every address below it is a screen
 * of the page, except its assets. Redirects browsers from `/` to it.
 */
export function useConsole(app: FastifyInstance, deps: ConsoleDeps): void {
  const load = createLoader(deps);
  const send = async (request: FastifyRequest, reply: FastifyReply, path: string) => {
    const files = await load();
    const file = files.get(path);
    if (!file) throw new AppError('not_found', { detail: 'There is no such file in the console.' });
    return sendFile(request, reply, file);
  };

  app.get(home, { schema: { hide: true } }, (request, reply) => {
    page(reply, deps.imageOrigins);
    return send(request, reply, 'index.html');
  });
  app.get<{ Params: { '*': string } }>(`${home}/*`, { schema: { hide: true } }, (request, reply) => {
    const path = request.params['*'];
    if (path.startsWith('assets/')) {
      reply.header('cache-control', 'public, max-age=31536000, immutable');
      return send(request, reply, path);
    }
    page(reply, deps.imageOrigins);
    return send(request, reply, 'index.html');
  });
  app.post<{ Body: { token: string } }>(
    `${home}/session`,
    { schema: { hide: true, body: tokenBody } },
    async (request, reply) => {
      const key = deps.signInLink?.redeem(request.body.token);
      if (!key) {
        const detail = 'The link has expired or was used before. Sign in with the API key.';
        throw new AppError('unauthorized', { detail });
      }
      return reply.header('cache-control', 'no-store').send({ key });
    },
  );
  app.get('/', { schema: { hide: true } }, (request, reply) => {
    reply.header('vary', 'Accept');
    if (!/\btext\/html\b/.test(request.headers.accept ?? '')) return reply.callNotFound();
    return reply.redirect(home);
  });
}

const tokenBody = {
  type: 'object',
  additionalProperties: false,
  required: ['token'],
  properties: { token: { type: 'string', minLength: 1, maxLength: maxTokenLength } },
};

/** Sets the headers of the page. It names the assets of one build, so browsers must request it each time. */
function page(reply: FastifyReply, imageOrigins: readonly string[]): void {
  reply.header('cache-control', 'no-cache').header('content-security-policy', policyFor(imageOrigins));
}

/** Returns the content security policy. `blob:` and `data:` show previews of uploads, and placeholders. */
function policyFor(imageOrigins: readonly string[]): string {
  const directives = {
    'default-src': ["'none'"],
    'script-src': ["'self'"],
    'style-src': ["'self'"],
    'img-src': ["'self'", 'blob:', 'data:', ...imageOrigins],
    'connect-src': ["'self'"],
    'base-uri': ["'none'"],
    'form-action': ["'none'"],
    'frame-ancestors': ["'none'"],
  };
  return Object.entries(directives)
    .map(([name, sources]) => `${name} ${sources.join(' ')}`)
    .join('; ');
}

/** Returns a function that prepares the files once for each build. A failure is not remembered. */
function createLoader(deps: ConsoleDeps) {
  let latest: { of: ConsoleFiles; served: Promise<ReadonlyMap<string, ServedFile>> } | undefined;
  return async () => {
    const files = await deps.loadFiles();
    if (!files) {
      const detail = 'This build has no console. Build it with npm run build.';
      throw new AppError('not_found', { detail });
    }
    if (latest?.of !== files) latest = { of: files, served: serveFiles(withFacts(files, deps)) };
    return latest.served;
  };
}

/** Returns the files with facts about this deployment in the page. */
function withFacts(files: ConsoleFiles, { isLive, version }: ConsoleDeps): ConsoleFiles {
  const index = Buffer.from(files.get('index.html') ?? [])
    .toString()
    .replace('{{livemode}}', String(isLive))
    .replace('{{version}}', version);
  return new Map([...files, ['index.html', Buffer.from(index)]]);
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: ServedFile): FastifyReply {
  reply.header('content-type', file.contentType).header('vary', 'Accept-Encoding');
  const acceptsGzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0+)?(?:\s*(?:,|$)))/i.test(
    String(request.headers['accept-encoding'] ?? ''),
  );
  if (!acceptsGzip) return reply.send(file.plain);
  return reply.header('content-encoding', 'gzip').send(file.gzipped);
}
