import type { FastifyInstance } from 'fastify';
import type { ManageTenants } from '../../../../usecases/access/manage-tenants.ts';
import { json, problems, tenantParams } from '../../responses.ts';

interface Deps {
  readonly access: { readonly manageTenants: Pick<ManageTenants, 'get'> };
}

/** `GET /tenants/{name}` */
export function getTenantRoute(app: FastifyInstance, { access }: Deps): void {
  app.route<{ Params: { name: string } }>({
    method: 'GET',
    url: '/tenants/:name',
    config: { scope: 'admin', isForOperator: true },
    schema: {
      operationId: 'getTenant',
      summary: 'Read the rules of a tenant',
      description: "Needs the operator's key. A tenant that was never changed has no rules of its own.",
      tags: ['keys'],
      params: tenantParams,
      response: { 200: json('The tenant', 'Tenant'), ...problems({ params: true }) },
    },
    handler: (request) => access.manageTenants.get(request.params.name),
  });
}
