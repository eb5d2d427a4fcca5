import type { Cluster, Redis } from 'ioredis';
import type { z } from 'zod';
import type { OnUnreadable } from '../../domain/ports.ts';
import { readableRows } from './readable-rows.ts';
import { decodeVersioned } from './versioned-json.ts';

/** How the records of one kind are stored and read. */
interface RowKind<Schema extends z.ZodType> {
  readonly kind: Parameters<OnUnreadable>[0]['kind'];
  readonly schema: Schema;
  readonly keyOf: (tenant: string, id: string) => string;
  readonly onUnreadable?: OnUnreadable | undefined;
}

/** Creates the reads of versioned records of one kind. */
export function createVersionedRows<Schema extends z.ZodType>(
  redis: Redis | Cluster,
  { kind, schema, keyOf, onUnreadable }: RowKind<Schema>,
) {
  type Row = z.output<Schema>;
  /** @throws AppError `internal` if the text is not such a record. */
  const decode = (text: string): Row => decodeVersioned(schema, text);

  /** Reads records in the order of their ids. Omits missing ones, and reports and skips unreadable ones. */
  async function getAll(tenant: string, ids: readonly string[]): Promise<Row[]> {
    if (ids.length === 0) return [];
    const texts = await redis.mget(...ids.map((id) => keyOf(tenant, id)));
    return readableRows(ids, texts, {
      decode,
      onUnreadable: (id, error) => onUnreadable?.({ kind, tenant, id, error }),
    });
  }

  return {
    decode,
    getAll,
    /** Reads one record. @throws AppError `internal` if it is unreadable. */
    async get(tenant: string, id: string): Promise<Row | null> {
      const text = await redis.get(keyOf(tenant, id));
      return text === null ? null : decode(text);
    },
    /** Reads a page of an index of ids, highest id first. */
    async getPage(
      tenant: string,
      index: string,
      { limit, beforeId }: { readonly limit: number; readonly beforeId?: string | undefined },
    ): Promise<{ rows: Row[]; nextBeforeId: string | null }> {
      const below = beforeId === undefined ? '+' : `(${beforeId}`;
      const ids = await redis.zrevrangebylex(index, below, '-', 'LIMIT', 0, limit + 1);
      const page = ids.slice(0, limit);
      return {
        rows: await getAll(tenant, page),
        nextBeforeId: ids.length > limit ? (page.at(-1) ?? null) : null,
      };
    },
  };
}
