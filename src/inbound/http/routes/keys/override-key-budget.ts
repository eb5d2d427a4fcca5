import type { FastifyInstance } from 'fastify';
import type { BudgetOverrideBody } from '../../../../domain/budget-override.ts';
import type { OverrideBudget } from '../../../../usecases/access/override-budget.ts';
import { idempotencyKeyFrom } from '../../headers.ts';
import { ref } from '../../json-schema.ts';
import { managerOf } from '../../manager.ts';
import { header, json, keyParams, problems, requestHeader } from '../../responses.ts';

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
      const { body, params } = request;
      const idempotencyKey = idempotencyKeyFrom(request.headers['idempotency-key']);
      const raise = { body, idempotencyKey };
      const { override, isReplayed } = await access.overrideBudget.ofKey(
        managerOf(request),
        params.id,
        raise,
      );
      if (isReplayed) reply.header('idempotent-replayed', 'true');
      return reply.code(isReplayed ? 200 : 201).send(override);
    },
  });
}
