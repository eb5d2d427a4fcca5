import type { FastifyInstance } from 'fastify';
import type { KeyPatch } from '../../../../domain/key-body.ts';
import type { ManageKeys } from '../../../../usecases/access/manage-keys.ts';
import { ref } from '../../json-schema.ts';
import { managerOf } from '../../manager.ts';
import { json, keyParams, problems } from '../../responses.ts';

interface Deps {
  readonly access: { readonly manageKeys: Pick<ManageKeys, 'update'> };
}

/** `PATCH /keys/{id}` */
export function changeKeyRoute(app: FastifyInstance, { access }: Deps): void {
  app.route<{ Params: { id: string }; Body: KeyPatch }>({
    method: 'PATCH',
    url: '/keys/:id',
    config: { scope: 'admin' },
    schema: {
      operationId: 'changeKey',
      summary: 'Change an API key',
      description:
        'Absent fields stay unchanged. The change takes effect on every process within a second. A key cannot change its own expiry, limits, budgets and rules.',
      tags: ['keys'],
      params: keyParams,
      body: ref('ApiKeyPatch'),
      response: {
        200: json('The key', 'ApiKey'),
        ...problems({ body: true, params: true }, 'not_found', 'key_revoked', 'own_key', 'model_unknown'),
      },
    },
    handler: (request) => access.manageKeys.update(managerOf(request), request.params.id, request.body),
  });
}
