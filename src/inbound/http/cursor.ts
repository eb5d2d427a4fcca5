import { AppError } from '../../domain/errors.ts';

/** Returns the opaque cursor of an id. */
export function encodeCursor(id: string | null): string | null {
  return id === null ? null : Buffer.from(id).toString('base64url');
}

/**
 * Returns the id in a cursor.
 *
 * @param prefix Prefix of the ids in that list.
 * @throws AppError `validation_failed`
 */
export function decodeCursor(
  cursor: string | undefined,
  prefix: 'img' | 'upl' | 'whk' | 'dlv',
): string | undefined {
  if (cursor === undefined) return undefined;
  const id = Buffer.from(cursor, 'base64url').toString('latin1');
  if (id.startsWith(`${prefix}_`) && /^[a-z]{3}_[0-9A-Z]{26}$/.test(id)) return id;
  throw invalidCursor();
}

/**
 * Returns the position in a cursor of a list that ids do not order.
 *
 * @throws AppError `validation_failed`
 */
export function decodePosition(cursor: string | undefined, form: RegExp): string | undefined {
  if (cursor === undefined) return undefined;
  const position = Buffer.from(cursor, 'base64url').toString('latin1');
  if (form.test(position)) return position;
  throw invalidCursor();
}

function invalidCursor(): AppError {
  return new AppError('validation_failed', {
    detail: 'Invalid cursor. Pass next_cursor unchanged.',
    issues: [{ pointer: '/query/cursor', detail: 'is not a cursor' }],
  });
}

/** Returns the body of a page, the same for every list. */
export function pageOf<Item>(data: readonly Item[], nextBeforeId: string | null) {
  return {
    object: 'list' as const,
    data,
    has_more: nextBeforeId !== null,
    next_cursor: encodeCursor(nextBeforeId),
  };
}
