import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../../../domain/ports.ts';
import { utcDayOf } from '../../../../domain/utc-day.ts';
import type { Usage } from '../../../../usecases/usage/index.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { header, json, problems } from '../../responses.ts';
import { tenantFor, tenantQuery } from '../../tenant-query.ts';
import { type PeriodQuery, periodOf, periodQuery } from './period.ts';
import { createRenderUsage } from './render-usage.ts';

interface Deps {
  readonly usage: Pick<Usage, 'reportUsage'>;
  readonly clock: Clock;
}

interface Query extends PeriodQuery {
  group_by?: string;
  tenant?: string;
}

const maxDays = 3_660;

/** `GET /usage` */
export function getUsageRoute(app: FastifyInstance, { usage, clock }: Deps): void {
  const renderUsage = createRenderUsage();
  app.route<{ Querystring: Query }>({
    method: 'GET',
    url: '/usage',
    config: { scope: 'admin' },
    schema: {
      operationId: 'getUsage',
      summary: 'Report usage',
      description:
        'Sums over ended jobs. A job counts on the UTC day that accepted it, so every day that the period touches counts as a whole. `Accept: text/csv` returns the rows as CSV.',
      tags: ['usage'],
      querystring: {
        type: 'object',
        properties: {
          ...periodQuery,
          ...tenantQuery,
          group_by: {
            type: 'string',
            maxLength: 400,
            description:
              'Comma-separated dimensions that separate rows: `day`, `model`, `key`, `provider`, and `metadata.x` for a key x that the operator names. Default: one row.',
            examples: ['day,model'],
          },
        },
      },
      response: {
        200: withCsv(
          json('The rows, by day, model, key and provider', 'UsageList', {
            headers: { 'cache-control': header.cacheControl },
            examples: { byModel: { summary: 'By day and model', value: example } },
          }),
        ),
        ...problems({}),
      },
    },
    handler: async (request, reply) => {
      const { query } = request;
      const { fromMs, toMs } = periodOf(query, clock(), maxDays);
      const report = await usage.reportUsage(tenantFor(callerOf(request), request.query), {
        fromDay: utcDayOf(fromMs),
        toDay: utcDayOf(toMs - 1) + 1,
        groupBy: query.group_by,
      });
      reply.header('cache-control', 'no-store').header('vary', 'accept');
      const { contentType, body } = renderUsage(prefersCsv(request.headers.accept) ? 'csv' : 'json', report);
      return reply.type(contentType).send(body);
    },
  });
}

/** Returns whether an Accept header prefers CSV to JSON. JSON wins a tie, unless the header does not name it. */
export function prefersCsv(accept = ''): boolean {
  const weightOf = (type: string) => {
    const range = accept.split(',').find((each) => each.toLowerCase().split(';')[0]?.trim() === type);
    return range === undefined ? 0 : Number(/;\s*q\s*=\s*([\d.]+)/i.exec(range)?.[1] ?? 1);
  };
  return weightOf('text/csv') > weightOf('application/json');
}

function withCsv(response: Record<string, unknown>): Record<string, unknown> {
  const csv = { schema: { type: 'string', description: 'A header line, then a line for each row.' } };
  return { ...response, content: { ...(response.content as object), 'text/csv': csv } };
}

const example = {
  object: 'list',
  data: [
    {
      day: '2026-11-23',
      model: 'gpt-image-2',
      jobs: 3,
      images: 2,
      failed: 1,
      micro_usd: 434_215,
      micro_usd_possible: 6_120,
      unknown_cost_jobs: 1,
      tokens: 14_503,
    },
  ],
};
