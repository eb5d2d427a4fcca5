import { changeTenantRoute } from './change-tenant.ts';
import { deleteTenantOverridesRoute } from './delete-tenant-overrides.ts';
import { getTenantRoute } from './get-tenant.ts';
import { overrideTenantBudgetRoute } from './override-tenant-budget.ts';
import { replaceTenantRoute } from './replace-tenant.ts';

/** Routes of tenants, for the operator. */
export const tenantRoutes = [
  getTenantRoute,
  replaceTenantRoute,
  changeTenantRoute,
  overrideTenantBudgetRoute,
  deleteTenantOverridesRoute,
] as const;
