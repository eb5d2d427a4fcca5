import { AppError } from '../../domain/errors.ts';

/** Cursors are ids that callers need not understand. */
export function encodeCursor(id: string | null): string | null {
  return id === null ? null : Buffer.from(id).toString('base64url');
}

/**
 * The id in a cursor.
 *
 * @param prefix of the ids of that list.
 * @throws AppError `validation_failed`
 */
export function decodeCursor(cursor: string | undefined, prefix: 'img' | 'whk' | 'dlv'): string | undefined {
  if (cursor === undefined) return undefined;
  const id = Buffer.from(cursor, 'base64url').toString('latin1');
  if (id.startsWith(`${prefix}_`) && /^[a-z]{3}_[0-9A-Z]{26}$/.test(id)) return id;
  throw new AppError('validation_failed', {
    detail: 'The cursor is not one of ours. Use next_cursor as it was given.',
    issues: [{ pointer: '/query/cursor', detail: 'is not a cursor' }],
  });
}

/** A page of a list, as every list is answered. */
export function pageOf<Item>(data: readonly Item[], nextBeforeId: string | null) {
  return {
    object: 'list' as const,
    data,
    has_more: nextBeforeId !== null,
    next_cursor: encodeCursor(nextBeforeId),
  };
}
