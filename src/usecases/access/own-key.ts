import type { ApiKeyRecord } from '../../domain/api-key.ts';
import { AppError, type FieldIssue } from '../../domain/errors.ts';
import type { Manager } from './manager.ts';

/** Fields of a body whose change a key could not take back, because the change ends or restricts the key. */
const finalFields: readonly string[] = [
  'disabled',
  'expires_at',
  'limits',
  'budgets',
  'models',
  'presets_only',
];

/**
 * Refuses a change by which the manager's own key would lock itself out.
 *
 * @param next the key after the change.
 * @param changed names of the changed fields, as the body spells them.
 * @throws AppError `own_key` naming every such field.
 */
export function refuseLockout({ own }: Manager, next: ApiKeyRecord, changed: readonly string[]): void {
  if (own?.id !== next.id) return;
  const losesAdmin = !next.scopes.includes('admin');
  const issues = changed
    .filter((name) => finalFields.includes(name) || (name === 'scopes' && losesAdmin))
    .map((name) => ({ pointer: `/${name}`, detail: 'cannot be changed by the key itself' }));
  if (issues.length > 0) throw ownKey(issues);
}

/** @throws AppError `own_key` if the key is that of the manager. */
export function refuseOwnKey({ own }: Manager, id: string): void {
  if (own?.id === id) throw ownKey();
}

function ownKey(issues?: readonly FieldIssue[]): AppError {
  return new AppError('own_key', {
    detail: 'A key cannot lock itself out. Use another key with the scope admin.',
    ...(issues ? { issues } : {}),
  });
}
