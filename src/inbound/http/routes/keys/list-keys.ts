import type { FastifyInstance } from 'fastify';
import { tenantPattern } from '../../../../domain/api-key.ts';
import type { ManageKeys } from '../../../../usecases/access/manage-keys.ts';
import { decodePosition, pageOf } from '../../cursor.ts';
import { managerOf } from '../../manager.ts';
import { defaultPageSize, json, pageQuery, problems } from '../../responses.ts';

interface Deps {
  readonly access: { readonly manageKeys: Pick<ManageKeys, 'list'> };
}

const position = /^[0-9]{13}:key_[0-9A-Za-z]{12}:[A-Za-z0-9_-]{1,64}$/;

/** `GET /keys` */
export function listKeysRoute(app: FastifyInstance, { access }: Deps): void {
  app.route<{ Querystring: { tenant?: string; limit?: number; cursor?: string } }>({
    method: 'GET',
    url: '/keys',
    config: { scope: 'admin' },
    schema: {
      operationId: 'listKeys',
      summary: 'List the API keys',
      description: 'Newest first. Keys of the configuration (`API_KEYS`, `ADMIN_KEY`) are not listed.',
      tags: ['keys'],
      querystring: {
        type: 'object',
        properties: {
          tenant: {
            type: 'string',
            pattern: tenantPattern.source,
            description:
              "Only keys of one tenant. Default: the caller's tenant, and all tenants for the operator's key.",
          },
          ...pageQuery,
        },
      },
      response: { 200: json('A page of keys', 'ApiKeyList'), ...problems({}) },
    },
    handler: async (request) => {
      const { tenant, limit = defaultPageSize, cursor } = request.query;
      const before = decodePosition(cursor, position);
      const { keys, next } = await access.manageKeys.list(managerOf(request), { tenant, limit, before });
      return pageOf(keys, next);
    },
  });
}
