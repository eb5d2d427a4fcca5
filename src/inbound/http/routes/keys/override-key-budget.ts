import type { FastifyInstance } from 'fastify';
import type { BudgetOverrideBody } from '../../../../domain/budget-override.ts';
import type { OverrideBudget } from '../../../../usecases/access/override-budget.ts';
import { ref } from '../../json-schema.ts';
import { managerOf } from '../../manager.ts';
import { json, keyParams, problems } from '../../responses.ts';

interface Deps {
  readonly access: { readonly overrideBudget: Pick<OverrideBudget, 'ofKey'> };
}

/** `POST /keys/{id}/budget-overrides` */
export function overrideKeyBudgetRoute(app: FastifyInstance, { access }: Deps): void {
  app.route<{ Params: { id: string }; Body: BudgetOverrideBody }>({
    method: 'POST',
    url: '/keys/:id/budget-overrides',
    config: { scope: 'admin' },
    schema: {
      operationId: 'overrideKeyBudget',
      summary: 'Raise the budgets of an API key until a time',
      description:
        'Adds an amount to every budget of the key, or to those of one window. Several raises add up. The raise takes effect on every process within a second and is written to the audit log.',
      tags: ['keys'],
      params: keyParams,
      body: ref('BudgetOverrideRequest'),
      response: {
        201: json('The raise', 'BudgetOverride'),
        ...problems({ body: true, params: true }, 'not_found', 'key_revoked'),
      },
    },
    handler: async (request, reply) => {
      const made = await access.overrideBudget.ofKey(managerOf(request), request.params.id, request.body);
      return reply.code(201).send(made);
    },
  });
}
