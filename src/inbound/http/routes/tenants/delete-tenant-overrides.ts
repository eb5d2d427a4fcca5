import type { FastifyInstance } from 'fastify';
import type { OverrideBudget } from '../../../../usecases/access/override-budget.ts';
import { managerOf } from '../../manager.ts';
import { empty, problems, tenantParams } from '../../responses.ts';

interface Deps {
  readonly access: { readonly overrideBudget: Pick<OverrideBudget, 'endForTenant'> };
}

/** `DELETE /tenants/{name}/budget-overrides` */
export function deleteTenantOverridesRoute(app: FastifyInstance, { access }: Deps): void {
  app.route<{ Params: { name: string } }>({
    method: 'DELETE',
    url: '/tenants/:name/budget-overrides',
    config: { scope: 'admin', isForOperator: true },
    schema: {
      operationId: 'deleteTenantBudgetOverrides',
      summary: 'End the raises of the budgets of a tenant',
      description:
        "Needs the operator's key. Ends every raise before its time. Idempotent. Those of its keys stay. The change is written to the audit log.",
      tags: ['keys'],
      params: tenantParams,
      response: { 204: empty('No raise applies'), ...problems({ body: true, params: true }) },
    },
    handler: async (request, reply) => {
      await access.overrideBudget.endForTenant(managerOf(request), request.params.name);
      return reply.code(204).send();
    },
  });
}
