import type { FastifyInstance } from 'fastify';
import { tenantPattern } from '../../../domain/api-key.ts';
import type { Access } from '../../../usecases/access/index.ts';
import { decodePosition, pageOf } from '../cursor.ts';
import { managerOf } from '../manager.ts';
import { defaultPageSize, json, pageQuery, problems } from '../responses.ts';
import { timeFrom, timeQuery } from '../time-query.ts';

interface Deps {
  readonly access: Pick<Access, 'listAudit'>;
}

const position = /^[0-9]{1,16}-[0-9]{1,16}\.[01]$/;

/** `GET /audit` */
export function listAuditRoute(app: FastifyInstance, { access }: Deps): void {
  app.route<{
    Querystring: { from?: string; to?: string; tenant?: string; limit?: number; cursor?: string };
  }>({
    method: 'GET',
    url: '/audit',
    config: { scope: 'admin' },
    schema: {
      operationId: 'listAudit',
      summary: 'Read the audit log',
      description:
        'Changes of keys, tenants and budgets, and erasures, newest first. Changes by the operator are in the log of the tenant that they concern.',
      tags: ['keys'],
      querystring: {
        type: 'object',
        properties: {
          from: {
            ...timeQuery,
            description: 'Earliest time, inclusive: an RFC 3339 time, or a date in UTC.',
          },
          to: { ...timeQuery, description: 'End, exclusive: an RFC 3339 time, or a date in UTC.' },
          tenant: {
            type: 'string',
            pattern: tenantPattern.source,
            description: "Tenant of the log, for the operator's key. Default: the caller's tenant.",
          },
          ...pageQuery,
        },
      },
      response: { 200: json('A page of entries', 'AuditLog'), ...problems({}) },
    },
    handler: async (request) => {
      const { from, to, tenant, limit = defaultPageSize, cursor } = request.query;
      const { entries, next } = await access.listAudit(managerOf(request), {
        ...{ tenant, limit, before: decodePosition(cursor, position) },
        ...{ fromMs: timeFrom(from, '/query/from'), toMs: timeFrom(to, '/query/to') },
      });
      return pageOf(entries, next);
    },
  });
}
