import { z } from 'zod';
import { ownerPolicy } from './access-policy.ts';
import { storedObject } from './stored.ts';

/** Rules of a tenant as an operator set them. A tenant without a record has no limits of its own. */
export const TenantRecord = storedObject({
  /** Increased by the store with every write; the basis of compare-and-set. */
  version: z.int(),
  name: z.string(),
  createdAt: z.int(),
  updatedAt: z.int(),
  ...ownerPolicy,
  /** Share of the tenant if tenants compete for workers. Absent: 1. */
  weight: z.int().optional(),
  suspended: z.boolean().optional(),
});
export type TenantRecord = z.infer<typeof TenantRecord>;
