import type { FastifyInstance } from 'fastify';
import { type ImageJob, isTerminal } from '../../../domain/image-job.ts';
import { linkPeriodMs } from '../../../domain/link-times.ts';
import type { Clock } from '../../../domain/ports.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import { imageJobExamples } from '../examples.ts';
import { matchesEtag, maxWaitSeconds } from '../headers.ts';
import { type LifecycleHeadersOf, lifecycleHeaders } from '../model-lifecycle.ts';
import { callerOf } from '../plugins/authenticate.ts';
import type { PresentTo } from '../present-to.ts';
import { requestHeader } from '../request-headers.ts';
import { empty, header, idParams, json, pollSeconds, problems } from '../responses.ts';
import type { WaitForTerminal } from '../wait-for-terminal.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'getJob'>;
  readonly presentTo: PresentTo;
  readonly waitForTerminal: WaitForTerminal;
  readonly lifecycleHeadersOf: LifecycleHeadersOf;
  readonly linkSeconds: number;
  readonly clock: Clock;
}

/** `GET /images/{id}`: polls or long-polls a job. */
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
        'With `?wait=N` the response is sent when the job has ended or N seconds have passed. A key that loses its access during the wait gets 401 or 403 within two seconds. After a 304 the links of the last response are still the current ones.',
      tags: ['images'],
      params: idParams,
      querystring: {
        type: 'object',
        properties: {
          wait: {
            type: 'integer',
            minimum: 0,
            maximum: maxWaitSeconds,
            description: 'Maximum time to wait for the end of the job, in seconds.',
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
            ...lifecycleHeaders,
          },
          examples: imageJobExamples,
        }),
        304: empty('Unchanged since the given ETag', {
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
      const known = request.headers['if-none-match'];
      reply.header('cache-control', 'no-cache');
      if (known && (await isUnchanged(deps, { tenant, id }, known))) {
        return reply.header('etag', known).code(304).send();
      }
      const job = await (waitMs > 0
        ? waitForTerminal(reply, { tenant, id }, waitMs)
        : jobs.getJob.get(tenant, id));
      // A queued job is presented first, because its tag contains its position, which presenting it determines.
      const queued = job.status === 'queued' ? await presentTo(request, job) : null;
      const etag = etagOf(job, queued?.queue.position ?? null, deps);
      reply.header('etag', etag).headers(deps.lifecycleHeadersOf(job.request?.model));
      if (!isTerminal(job.status)) reply.header('retry-after', pollSeconds);
      if (matchesEtag(known, etag)) return reply.code(304).send();
      return queued ?? presentTo(request, job);
    },
  });
}

/**
 * Returns the tag of a job. The tag changes with the job, with its position in the queue, and with its links. After a 304 the
 * caller's links are therefore the current ones.
 */
function etagOf(job: ImageJob, position: number | null, deps: Pick<Deps, 'clock' | 'linkSeconds'>): string {
  if (isTerminal(job.status)) return `W/"${job.version}-end-${linkPeriodOf(deps)}"`;
  const queued = position === null ? '' : `-position-${position}`;
  const links = job.images.length > 0 ? `-links-${linkPeriodOf(deps)}` : '';
  return `W/"${job.version}${queued}${links}"`;
}

const linkPeriodOf = ({ clock, linkSeconds }: Pick<Deps, 'clock' | 'linkSeconds'>) =>
  String(Math.floor(clock() / linkPeriodMs(linkSeconds)));

const finalTag = /^W\/"(\d{1,15})-end-(\d{1,15})"$/;

/**
 * Returns whether a caller's tag is the current tag of an ended job. Reads only the version of the record, because every
 * change of a record increments it. A 304 therefore needs neither the job nor its view.
 */
async function isUnchanged(deps: Deps, job: { tenant: string; id: string }, tag: string): Promise<boolean> {
  const [, version, linkPeriod] = finalTag.exec(tag) ?? [];
  if (version === undefined || linkPeriod !== linkPeriodOf(deps)) return false;
  return (await deps.jobs.getJob.versionOf(job.tenant, job.id)) === Number(version);
}
