import type { FastifyInstance } from 'fastify';
import type { BudgetOverrideBody } from '../../../../domain/budget-override.ts';
import type { OverrideBudget } from '../../../../usecases/access/override-budget.ts';
import { ref } from '../../json-schema.ts';
import { managerOf } from '../../manager.ts';
import { raiseFrom, raiseSchema, sendRaise } from '../../raise-replies.ts';
import { keyParams, problems } from '../../responses.ts';

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
      headers: raiseSchema.headers,
      body: ref('BudgetOverrideRequest'),
      response: {
        ...raiseSchema.responses,
        ...problems(
          { body: true, params: true },
          'not_found',
          'key_revoked',
          'invalid_idempotency_key',
          'idempotency_key_reused',
        ),
      },
    },
    handler: async (request, reply) => {
      const raised = await access.overrideBudget.ofKey(
        managerOf(request),
        request.params.id,
        raiseFrom(request),
      );
      return sendRaise(reply, raised);
    },
  });
}
