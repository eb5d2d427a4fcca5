import type { FastifyReply, FastifyRequest } from 'fastify';
import type { BudgetOverrideBody } from '../../domain/budget-override.ts';
import type { Raised } from '../../usecases/access/override-budget.ts';
import { idempotencyKeyFrom } from './headers.ts';
import { idempotentHeaders } from './request-headers.ts';
import { header, json } from './responses.ts';

/** Request headers and successful responses of the routes that raise budgets. */
export const raiseSchema = {
  headers: idempotentHeaders(
    'While the raise applies, the same key with the same body raises nothing again.',
  ),
  responses: {
    200: json('The raise of an earlier request with this Idempotency-Key', 'BudgetOverride', {
      headers: { 'idempotent-replayed': header.replayed },
    }),
    201: json('The raise', 'BudgetOverride'),
  },
} as const;

/** Returns the raise that a request asks for. @throws AppError `invalid_idempotency_key` */
export function raiseFrom({ body, headers }: FastifyRequest<{ Body: BudgetOverrideBody }>) {
  return { body, idempotencyKey: idempotencyKeyFrom(headers['idempotency-key']) };
}

/** Sends a raise, marked if an earlier request made it. */
export function sendRaise(reply: FastifyReply, { override, isReplayed }: Raised): FastifyReply {
  if (isReplayed) reply.header('idempotent-replayed', 'true');
  return reply.code(isReplayed ? 200 : 201).send(override);
}
