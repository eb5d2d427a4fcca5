import type { FastifyInstance } from 'fastify';
import type { KeyBody } from '../../../../domain/key-body.ts';
import type { ManageKeys } from '../../../../usecases/access/manage-keys.ts';
import { idempotencyKeyFrom } from '../../headers.ts';
import { ref } from '../../json-schema.ts';
import { managerOf } from '../../manager.ts';
import { idempotentHeaders } from '../../request-headers.ts';
import { header, json, problems } from '../../responses.ts';

interface Deps {
  readonly access: { readonly manageKeys: Pick<ManageKeys, 'create'> };
}

/** `POST /keys` */
export function createKeyRoute(app: FastifyInstance, { access }: Deps): void {
  app.route<{ Body: KeyBody }>({
    method: 'POST',
    url: '/keys',
    config: { scope: 'admin', hasOptionalBody: true },
    schema: {
      operationId: 'createKey',
      summary: 'Create an API key',
      description:
        'Only this response contains `key`, the text of the key. A request with the same Idempotency-Key and body returns the same key without its text for 24 h; rotate the key if the first response was lost.',
      tags: ['keys'],
      headers: idempotentHeaders('The same key with the same body creates no second API key.'),
      body: ref('ApiKeyRequest'),
      response: {
        200: json('The key of an earlier request with this Idempotency-Key, without its text', 'ApiKey', {
          headers: { 'idempotent-replayed': header.replayed, 'cache-control': header.cacheControl },
        }),
        201: json('The key with its text', 'NewApiKey', {
          headers: { location: header.location, 'cache-control': header.cacheControl },
        }),
        ...problems(
          { body: true },
          'invalid_idempotency_key',
          'idempotency_key_reused',
          'too_many_keys',
          'model_unknown',
        ),
      },
    },
    handler: async (request, reply) => {
      const idempotencyKey = idempotencyKeyFrom(request.headers['idempotency-key']);
      const created = await access.manageKeys.create(managerOf(request), request.body, idempotencyKey);
      reply.header('cache-control', 'no-store');
      if (created.key === undefined) return reply.header('idempotent-replayed', 'true').send(created);
      return reply.code(201).header('location', `/keys/${created.id}`).send(created);
    },
  });
}
