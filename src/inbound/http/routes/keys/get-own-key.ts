import type { FastifyInstance } from 'fastify';
import type { Access } from '../../../../usecases/access/index.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { json, problems } from '../../responses.ts';

interface Deps {
  readonly access: Pick<Access, 'getOwnKey'>;
}

/** `GET /keys/self` */
export function getOwnKeyRoute(app: FastifyInstance, { access }: Deps): void {
  app.route({
    method: 'GET',
    url: '/keys/self',
    config: { scope: 'any' },
    schema: {
      operationId: 'getOwnKey',
      summary: 'Read the API key of the request',
      description: 'Scopes, limits and budgets of the key. Every valid key may read its own.',
      tags: ['keys'],
      response: {
        200: json('The key', 'OwnApiKey'),
        ...problems({}),
      },
    },
    handler: (request) => access.getOwnKey(callerOf(request)),
  });
}
