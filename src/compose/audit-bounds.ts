import type { Config } from '../config/config.ts';
import type { AuditBounds } from '../outbound/records/scripts/append-audit.ts';

/** Maximum number of entries of each audit log of a tenant. Ten thousand entries take about 3 MB. */
const maxEntries = 10_000;

/** Returns the bounds of audit logs. */
export function auditBoundsOf(config: Config): AuditBounds {
  return { ttlMs: config.AUDIT_TTL_S * 1000, maxEntries };
}

/** Returns the bounds of the stored API keys of a tenant. */
export const keyBoundsOf = (config: Config) => ({
  audit: auditBoundsOf(config),
  maxKeys: config.MAX_KEYS_PER_TENANT,
});
