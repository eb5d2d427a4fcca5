import type { FastifyInstance } from 'fastify';
import type { OverrideBudget } from '../../../../usecases/access/override-budget.ts';
import { managerOf } from '../../manager.ts';
import { empty, keyParams, problems } from '../../responses.ts';

interface Deps {
  readonly access: { readonly overrideBudget: Pick<OverrideBudget, 'endForKey'> };
}

/** `DELETE /keys/{id}/budget-overrides` */
export function deleteKeyOverridesRoute(app: FastifyInstance, { access }: Deps): void {
  app.route<{ Params: { id: string } }>({
    method: 'DELETE',
    url: '/keys/:id/budget-overrides',
    config: { scope: 'admin' },
    schema: {
      operationId: 'deleteKeyBudgetOverrides',
      summary: 'End the raises of the budgets of an API key',
      description:
        'Ends every raise before its time. Idempotent. Accepted jobs continue. The change takes effect on every process within a second and is written to the audit log.',
      tags: ['keys'],
      params: keyParams,
      response: {
        204: empty('No raise applies'),
        ...problems({ body: true, params: true }, 'not_found', 'key_revoked'),
      },
    },
    handler: async (request, reply) => {
      await access.overrideBudget.endForKey(managerOf(request), request.params.id);
      return reply.code(204).send();
    },
  });
}
