import type { ApiKeyRecord } from '../../domain/api-key.ts';
import { AppError } from '../../domain/errors.ts';
import type { ApiKeys, AuditedChange } from '../../domain/ports.ts';
import type { Manager } from './manager.ts';

/**
 * Creates the change of a stored key by its manager. `next` has the contract of `ApiKeys.update`.
 *
 * @throws AppError `not_found`, also for a key of another tenant.
 */
export function createChangeKey(apiKeys: Pick<ApiKeys, 'update'>) {
  return async (
    manager: Manager,
    id: string,
    next: (record: ApiKeyRecord) => AuditedChange<ApiKeyRecord> | null,
  ): Promise<ApiKeyRecord> => {
    const record = await apiKeys.update(id, (current) => next(managedKey(manager, current)));
    return managedKey(manager, record);
  };
}

/** Returns a key of a tenant of the manager. @throws AppError `not_found`, also for a key of another tenant. */
export function managedKey({ tenant }: Manager, record: ApiKeyRecord | null): ApiKeyRecord {
  if (record && (tenant === null || record.tenant === tenant)) return record;
  throw new AppError('not_found', { detail: 'There is no API key with this id.' });
}

/** @throws AppError `key_revoked` */
export function refuseRevoked({ revokedAt }: ApiKeyRecord): void {
  if (revokedAt === undefined) return;
  throw new AppError('key_revoked', { detail: 'A revoked key cannot be changed. Create a new key.' });
}
