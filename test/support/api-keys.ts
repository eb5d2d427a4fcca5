import type { ApiKeyRecord } from '../../src/domain/api-key.ts';
import { type Actor, type AuditEntry, auditEntryOf } from '../../src/domain/audit.ts';

/** Bounds of the audit log in tests. */
export const auditBounds = { ttlMs: 3_600_000, maxEntries: 1_000 };

export const commandLine: Actor = { kind: 'command_line' };

/** Creates the record of a key. */
export const apiKeyOf = (id: string, fields: Partial<ApiKeyRecord> = {}): ApiKeyRecord => ({
  version: 1,
  id,
  tenant: 'acme',
  name: 'app',
  digest: 'd'.repeat(64),
  scopes: ['images:read', 'images:write'],
  createdAt: 1,
  ...fields,
});

/** Creates the audit entry of a change of a key. */
export const keyAudit = ({ tenant, id }: Pick<ApiKeyRecord, 'tenant' | 'id'>): AuditEntry =>
  auditEntryOf(commandLine, { at: 1, tenant, action: 'key.changed', target: id });
