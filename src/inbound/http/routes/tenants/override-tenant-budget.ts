import type { FastifyInstance } from 'fastify';
import type { BudgetOverrideBody } from '../../../../domain/budget-override.ts';
import type { OverrideBudget } from '../../../../usecases/access/override-budget.ts';
import { ref } from '../../json-schema.ts';
import { managerOf } from '../../manager.ts';
import { raiseFrom, raiseSchema, sendRaise } from '../../raise-replies.ts';
import { problems, tenantParams } from '../../responses.ts';

interface Deps {
  readonly access: { readonly overrideBudget: Pick<OverrideBudget, 'ofTenant'> };
}

/** `POST /tenants/{name}/budget-overrides` */
export function overrideTenantBudgetRoute(app: FastifyInstance, { access }: Deps): void {
  app.route<{ Params: { name: string }; Body: BudgetOverrideBody }>({
    method: 'POST',
    url: '/tenants/:name/budget-overrides',
    config: { scope: 'admin', isForOperator: true },
    schema: {
      operationId: 'overrideTenantBudget',
      summary: 'Raise the budgets of a tenant until a time',
      description:
        "Needs the operator's key. Adds an amount to every budget of the tenant, or to those of one window. The budgets of its keys stay. The raise is written to the audit log.",
      tags: ['keys'],
      params: tenantParams,
      headers: raiseSchema.headers,
      body: ref('BudgetOverrideRequest'),
      response: {
        ...raiseSchema.responses,
        ...problems({ body: true, params: true }, 'invalid_idempotency_key', 'idempotency_key_reused'),
      },
    },
    handler: async (request, reply) => {
      const raised = await access.overrideBudget.ofTenant(
        managerOf(request),
        request.params.name,
        raiseFrom(request),
      );
      return sendRaise(reply, raised);
    },
  });
}
