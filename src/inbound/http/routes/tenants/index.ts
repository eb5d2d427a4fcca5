import { changeTenantRoute } from './change-tenant.ts';
import { getTenantRoute } from './get-tenant.ts';
import { replaceTenantRoute } from './replace-tenant.ts';

/** Routes of tenants, for the operator. */
export const tenantRoutes = [getTenantRoute, replaceTenantRoute, changeTenantRoute] as const;
