import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../../domain/errors.ts';
import { matchesEtag } from '../headers.ts';
import { loadSite, type Site } from './load-site.ts';

/** Content security policy of the site: files of this origin, no inline code and no inline style. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const firstPage = 'start';

/** Serves the documentation at `/docs`. The pages are rendered when the first one is requested. */
export function useDocsSite(app: FastifyInstance): void {
  let loading: Promise<Site> | undefined;

  async function send(request: FastifyRequest, reply: FastifyReply, path: string): Promise<FastifyReply> {
    loading ??= loadSite();
    // A failed attempt must not remain.
    loading.catch(() => {
      loading = undefined;
    });
    const file = (await loading).get(path);
    if (!file) throw new AppError('not_found', { detail: 'There is no such page. /docs lists all pages.' });
    reply.headers({
      'content-type': file.contentType,
      'content-security-policy': policy,
      'cache-control': 'no-cache',
      etag: file.etag,
    });
    if (matchesEtag(request.headers['if-none-match'], file.etag)) return reply.code(304).send();
    return reply.send(file.body);
  }

  const schema = { hide: true };
  app.get('/docs', { schema }, (_request, reply) => reply.redirect(`/docs/${firstPage}`));
  app.get<{ Params: { page: string } }>('/docs/:page', { schema }, (request, reply) => {
    const { page } = request.params;
    // The links of a page are relative, so its address must not end with a slash.
    return /^[^?]*\/(\?|$)/.test(request.originalUrl)
      ? reply.redirect(`../${encodeURIComponent(page)}`)
      : send(request, reply, page);
  });
  for (const folder of ['site', 'images']) {
    app.get<{ Params: { name: string } }>(`/docs/${folder}/:name`, { schema }, (request, reply) =>
      send(request, reply, `${folder}/${request.params.name}`),
    );
  }
}
