import type { FastifyInstance } from 'fastify';
import { type ImageJob, isTerminal } from '../../../domain/image-job.ts';
import type { Clock } from '../../../domain/ports.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import { imageJobExamples } from '../examples.ts';
import { matchesEtag, maxWaitSeconds } from '../headers.ts';
import { callerOf } from '../plugins/authenticate.ts';
import type { PresentTo } from '../present-to.ts';
import { empty, header, idParams, json, pollSeconds, problems, requestHeader } from '../responses.ts';
import type { WaitForTerminal } from '../wait-for-terminal.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'getJob'>;
  readonly presentTo: PresentTo;
  readonly waitForTerminal: WaitForTerminal;
  readonly linkSeconds: number;
  readonly clock: Clock;
}

/** `GET /images/{id}`: poll or long-poll a job. */
export function getJobRoute(app: FastifyInstance, deps: Deps): void {
  const { jobs, presentTo, waitForTerminal } = deps;
  app.route<{ Params: { id: string }; Querystring: { wait?: number } }>({
    method: 'GET',
    url: '/images/:id',
    config: { scope: 'images:read' },
    schema: {
      operationId: 'getJob',
      summary: 'Read a job',
      description:
        'With `?wait=N` the answer is held until the job has ended or N seconds have passed. After a 304 the links at hand work for at least half of their life more, or as long as their images are kept.',
      tags: ['images'],
      params: idParams,
      querystring: {
        type: 'object',
        properties: {
          wait: {
            type: 'integer',
            minimum: 0,
            maximum: maxWaitSeconds,
            description: 'Seconds to wait for the end of the job.',
          },
        },
      },
      headers: { type: 'object', properties: { 'if-none-match': requestHeader.ifNoneMatch } },
      response: {
        200: json('The job', 'ImageJob', {
          headers: {
            etag: header.etag,
            'cache-control': header.cacheControl,
            'retry-after': header.pollWhileOpen,
          },
          examples: imageJobExamples,
        }),
        304: empty('Not changed since the given ETag', {
          etag: header.etag,
          'retry-after': header.pollWhileOpen,
        }),
        ...problems({ params: true }, 'not_found', 'erased'),
      },
    },
    handler: async (request, reply) => {
      const { tenant } = callerOf(request);
      const { id } = request.params;
      const waitMs = (request.query.wait ?? 0) * 1000;
      const job = await (waitMs > 0
        ? waitForTerminal(reply, { tenant, id }, waitMs)
        : jobs.getJob.get(tenant, id));
      // Only a waiting job has a place, and only its tag has to wait until that is known.
      const waiting = job.status === 'queued' ? await presentTo(request, job) : null;
      const etag = etagOf(job, waiting?.queue.position ?? null, deps);
      reply.header('etag', etag).header('cache-control', 'no-cache');
      if (!isTerminal(job.status)) reply.header('retry-after', pollSeconds);
      if (matchesEtag(request.headers['if-none-match'], etag)) return reply.code(304).send();
      return waiting ?? presentTo(request, job);
    },
  });
}

/**
 * Changes with the job, with its place in the queue, and twice in the life of a link: whoever is told that nothing changed
 * has links that work for at least half of `linkSeconds` more, or as long as their images are kept.
 */
function etagOf(job: ImageJob, position: number | null, { clock, linkSeconds }: Deps): string {
  const place = position === null ? '' : `-place-${position}`;
  const hasLinks = job.images.length > 0 && !job.mediaGone;
  const links = hasLinks ? `-links-${Math.floor(clock() / (linkSeconds * 500))}` : '';
  return `W/"${job.version}${place}${links}"`;
}
