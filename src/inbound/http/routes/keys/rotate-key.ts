import type { FastifyInstance } from 'fastify';
import type { KeyRotation } from '../../../../domain/key-body.ts';
import type { ManageKeys } from '../../../../usecases/access/manage-keys.ts';
import { ref } from '../../json-schema.ts';
import { managerOf } from '../../manager.ts';
import { header, json, keyParams, problems } from '../../responses.ts';

interface Deps {
  readonly access: { readonly manageKeys: Pick<ManageKeys, 'rotate'> };
}

const defaultGraceSeconds = 86_400;

/** `POST /keys/{id}/rotate` */
export function rotateKeyRoute(app: FastifyInstance, { access }: Deps): void {
  app.route<{ Params: { id: string }; Body: KeyRotation }>({
    method: 'POST',
    url: '/keys/:id/rotate',
    config: { scope: 'admin', hasOptionalBody: true },
    schema: {
      operationId: 'rotateKey',
      summary: 'Rotate an API key',
      description:
        'The key keeps its id and gets a new text, which only this response contains. The earlier texts stay valid for the grace period at most.',
      tags: ['keys'],
      params: keyParams,
      body: ref('ApiKeyRotation'),
      response: {
        200: json('The key with its new text', 'NewApiKey', {
          headers: { 'cache-control': header.cacheControl },
        }),
        ...problems({ body: true, params: true }, 'not_found', 'key_revoked', 'too_many_secrets'),
      },
    },
    handler: async (request, reply) => {
      reply.header('cache-control', 'no-store');
      const { grace_s: graceSeconds = defaultGraceSeconds } = request.body;
      return access.manageKeys.rotate(managerOf(request), request.params.id, graceSeconds);
    },
  });
}
