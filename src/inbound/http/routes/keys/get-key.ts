import type { FastifyInstance } from 'fastify';
import type { ManageKeys } from '../../../../usecases/access/manage-keys.ts';
import { managerOf } from '../../manager.ts';
import { json, keyParams, problems } from '../../responses.ts';

interface Deps {
  readonly access: { readonly manageKeys: Pick<ManageKeys, 'get'> };
}

/** `GET /keys/{id}` */
export function getKeyRoute(app: FastifyInstance, { access }: Deps): void {
  app.route<{ Params: { id: string } }>({
    method: 'GET',
    url: '/keys/:id',
    config: { scope: 'admin' },
    schema: {
      operationId: 'getKey',
      summary: 'Read an API key',
      description: 'A revoked key stays readable.',
      tags: ['keys'],
      params: keyParams,
      response: { 200: json('The key', 'ApiKeyWithSpending'), ...problems({ params: true }, 'not_found') },
    },
    handler: (request) => access.manageKeys.get(managerOf(request), request.params.id),
  });
}
