import { type Caller, tenantPattern } from '../../domain/api-key.ts';
import { AppError } from '../../domain/errors.ts';
import type { JsonSchema } from './json-schema.ts';

/** Query parameter of routes on which the operator may act for any tenant. */
export const tenantQuery = {
  tenant: {
    type: 'string',
    pattern: tenantPattern.source,
    description: "Tenant. Default: the caller's own. Only `ADMIN_KEY` may name another one.",
  },
} as const satisfies Record<string, JsonSchema>;

/** Returns the tenant that a request acts for. @throws AppError `insufficient_scope` */
export function tenantFor(caller: Caller, { tenant = caller.tenant }: { tenant?: string }): string {
  if (tenant === caller.tenant || caller.isOperator) return tenant;
  throw new AppError('insufficient_scope', { detail: 'Only ADMIN_KEY may name another tenant.' });
}
