import type { FastifyInstance } from 'fastify';
import { type JobStatus, jobStatuses } from '../../../domain/image-job.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import { decodeCursor, pageOf } from '../cursor.ts';
import { callerOf } from '../plugins/authenticate.ts';
import type { PresentTo } from '../present-to.ts';
import { defaultPageSize, json, pageQuery, problems } from '../responses.ts';
import { timeFrom, timeQuery } from '../time-query.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'listJobs'>;
  readonly presentTo: PresentTo;
}

/** Pattern of a metadata parameter. It limits keys in code points, as the schema of requests does. */
const metadataParameter = '^metadata\\[([\\s\\S]{1,64})\\]$';
const metadataKey = new RegExp(metadataParameter, 'u');

interface Query {
  limit?: number;
  cursor?: string;
  status?: JobStatus;
  model?: string;
  parent?: string;
  created_after?: string;
  created_before?: string;
  [parameter: `metadata[${string}]`]: string | string[];
}

/** Documented filters of the list. */
const querystring = {
  type: 'object',
  properties: {
    ...pageQuery,
    status: { type: 'string', enum: [...jobStatuses], description: 'Only jobs in this status.' },
    model: {
      type: 'string',
      maxLength: 128,
      description: 'Only jobs of this model, by any of its names.',
    },
    parent: {
      type: 'string',
      maxLength: 64,
      description:
        'Only jobs that retry or vary this job, or that have one of its images, or this upload, as an input.',
    },
    created_after: {
      ...timeQuery,
      description: 'Only jobs created after this time, or after the start of this date in UTC.',
    },
    created_before: {
      ...timeQuery,
      description: 'Only jobs created before this time, or before the start of this date in UTC.',
    },
    metadata: {
      type: 'object',
      additionalProperties: { type: 'string', maxLength: 512 },
      description: 'Only jobs with all these pairs: `metadata[order]=4711`.',
    },
  },
  patternProperties: { [metadataParameter]: { type: 'string', maxLength: 512 } },
};

/** `GET /images`: jobs of the tenant, newest first. */
export function listJobsRoute(app: FastifyInstance, deps: Deps): void {
  app.route<{ Querystring: Query }>({
    method: 'GET',
    url: '/images',
    config: { scope: 'images:read' },
    schema: {
      operationId: 'listJobs',
      summary: 'List jobs',
      description:
        'Newest first. `metadata[key]=value` filters by metadata. A page may hold fewer jobs than `limit`; read the next page while `has_more` is true.',
      tags: ['images'],
      querystring,
      response: {
        200: json('A page of jobs', 'JobList'),
        ...problems({}),
      },
    },
    handler: async (request) => {
      const { query } = request;
      const { jobs, nextBeforeId } = await deps.jobs.listJobs(callerOf(request).tenant, {
        limit: query.limit ?? defaultPageSize,
        beforeId: decodeCursor(query.cursor, 'img'),
        status: query.status,
        model: query.model,
        parent: query.parent,
        createdAfterMs: timeFrom(query.created_after, '/query/created_after'),
        createdBeforeMs: timeFrom(query.created_before, '/query/created_before'),
        metadata: metadataOf(query),
      });
      return pageOf(await Promise.all(jobs.map((job) => deps.presentTo(request, job))), nextBeforeId);
    },
  });
}

function metadataOf(query: Query): Record<string, string> {
  const pairs: [string, string][] = [];
  for (const [parameter, value] of Object.entries(query)) {
    const key = metadataKey.exec(parameter)?.[1];
    if (key !== undefined) pairs.push([key, String(value)]);
  }
  return Object.fromEntries(pairs);
}
