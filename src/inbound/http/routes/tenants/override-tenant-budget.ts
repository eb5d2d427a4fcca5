import type { FastifyInstance } from 'fastify';
import type { BudgetOverrideBody } from '../../../../domain/budget-override.ts';
import type { OverrideBudget } from '../../../../usecases/access/override-budget.ts';
import { idempotencyKeyFrom } from '../../headers.ts';
import { ref } from '../../json-schema.ts';
import { managerOf } from '../../manager.ts';
import { header, json, problems, requestHeader, tenantParams } from '../../responses.ts';

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
      headers: {
        type: 'object',
        properties: {
          'idempotency-key': {
            ...requestHeader.idempotencyKey,
            description:
              '1 to 255 visible ASCII characters, bare or quoted. While the raise applies, the same key with the same body raises nothing again.',
          },
        },
      },
      body: ref('BudgetOverrideRequest'),
      response: {
        200: json('The raise of an earlier request with this Idempotency-Key', 'BudgetOverride', {
          headers: { 'idempotent-replayed': header.replayed },
        }),
        201: json('The raise', 'BudgetOverride'),
        ...problems({ body: true, params: true }, 'invalid_idempotency_key', 'idempotency_key_reused'),
      },
    },
    handler: async (request, reply) => {
      const { body, params } = request;
      const idempotencyKey = idempotencyKeyFrom(request.headers['idempotency-key']);
      const raise = { body, idempotencyKey };
      const { override, isReplayed } = await access.overrideBudget.ofTenant(
        managerOf(request),
        params.name,
        raise,
      );
      if (isReplayed) reply.header('idempotent-replayed', 'true');
      return reply.code(isReplayed ? 200 : 201).send(override);
    },
  });
}
