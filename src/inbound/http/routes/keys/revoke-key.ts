import type { FastifyInstance } from 'fastify';
import type { ManageKeys } from '../../../../usecases/access/manage-keys.ts';
import { managerOf } from '../../manager.ts';
import { empty, keyParams, problems } from '../../responses.ts';

interface Deps {
  readonly access: { readonly manageKeys: Pick<ManageKeys, 'revoke'> };
}

/** `DELETE /keys/{id}` */
export function revokeKeyRoute(app: FastifyInstance, { access }: Deps): void {
  app.route<{ Params: { id: string } }>({
    method: 'DELETE',
    url: '/keys/:id',
    config: { scope: 'admin' },
    schema: {
      operationId: 'revokeKey',
      summary: 'Revoke an API key',
      description:
        'Final and idempotent. Every process refuses the key within a second. Its jobs, costs and audit entries stay. A key cannot revoke itself.',
      tags: ['keys'],
      params: keyParams,
      response: {
        204: empty('Revoked'),
        ...problems({ body: true, params: true }, 'not_found', 'own_key'),
      },
    },
    handler: async (request, reply) => {
      await access.manageKeys.revoke(managerOf(request), request.params.id);
      return reply.code(204).send();
    },
  });
}
