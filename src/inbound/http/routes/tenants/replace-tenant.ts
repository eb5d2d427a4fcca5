import type { FastifyInstance } from 'fastify';
import type { TenantBody } from '../../../../domain/tenant-body.ts';
import type { ManageTenants } from '../../../../usecases/access/manage-tenants.ts';
import { ref } from '../../json-schema.ts';
import { managerOf } from '../../manager.ts';
import { json, problems, tenantParams } from '../../responses.ts';

interface Deps {
  readonly access: { readonly manageTenants: Pick<ManageTenants, 'replace'> };
}

/** `PUT /tenants/{name}` */
export function replaceTenantRoute(app: FastifyInstance, { access }: Deps): void {
  app.route<{ Params: { name: string }; Body: TenantBody }>({
    method: 'PUT',
    url: '/tenants/:name',
    config: { scope: 'admin', isForOperator: true },
    schema: {
      operationId: 'replaceTenant',
      summary: 'Replace the rules of a tenant',
      description:
        "Needs the operator's key. Absent fields get their defaults, and overrides of budgets end. The change takes effect on every process within a second.",
      tags: ['keys'],
      params: tenantParams,
      body: ref('TenantRequest'),
      response: { 200: json('The tenant', 'Tenant'), ...problems({ body: true, params: true }, 'own_key') },
    },
    handler: (request) => access.manageTenants.replace(managerOf(request), request.params.name, request.body),
  });
}
