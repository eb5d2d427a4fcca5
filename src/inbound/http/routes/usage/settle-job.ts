import type { FastifyInstance } from 'fastify';
import { auditEntryOf } from '../../../../domain/audit.ts';
import { refuseRestricted } from '../../../../usecases/access/manager.ts';
import type { Jobs } from '../../../../usecases/jobs/index.ts';
import { ref } from '../../json-schema.ts';
import { managerOf } from '../../manager.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import type { PresentTo } from '../../present-to.ts';
import { empty, header, idParams, json, problems } from '../../responses.ts';
import { tenantFor, tenantQuery } from '../../tenant-query.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'settleJob'>;
  readonly presentTo: PresentTo;
}

/** `POST /images/{id}/settle` */
export function settleJobRoute(app: FastifyInstance, { jobs, presentTo }: Deps): void {
  app.route<{ Params: { id: string }; Body: { micro_usd: number }; Querystring: { tenant?: string } }>({
    method: 'POST',
    url: '/images/:id/settle',
    config: { scope: 'admin' },
    schema: {
      operationId: 'settleJob',
      summary: 'Settle a possible charge',
      description:
        'States what the calls with an unknown charge cost, for example after the invoice arrived. Their hold is released, and budgets, usage and ledger count the amount, in one step. The same amount again changes nothing. A key with limits, budgets or rules of its own is refused.',
      tags: ['usage'],
      params: idParams,
      querystring: { type: 'object', properties: { ...tenantQuery } },
      body: ref('Settlement'),
      response: {
        200: json('The job', 'ImageJob', { headers: { 'cache-control': header.cacheControl } }),
        204: empty('The charge of an erased job is settled'),
        ...problems({ body: true, params: true }, 'not_found', 'nothing_to_settle', 'newer_release'),
      },
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      const tenant = tenantFor(callerOf(request), request.query);
      const manager = managerOf(request);
      refuseRestricted(manager, 'settle charges');
      const job = await jobs.settleJob({ tenant, id, microUsd: request.body.micro_usd }, (at) =>
        auditEntryOf(manager.actor, {
          at,
          tenant,
          action: 'charge.settled',
          target: id,
          fields: ['micro_usd'],
        }),
      );
      if (job.erasedAt !== undefined) return reply.code(204).send();
      reply.header('cache-control', 'no-store');
      return presentTo(request, job);
    },
  });
}
