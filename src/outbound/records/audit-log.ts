import type { Cluster, Redis } from 'ioredis';
import { AuditEntry } from '../../domain/audit.ts';
import type { AuditLog, AuditQuery, OnUnreadable, StoredAuditEntry } from '../../domain/ports.ts';
import { createScript } from '../../lib/redis/script.ts';
import type { Keys } from './keys.ts';
import { type AuditBounds, luaAppendAudit } from './scripts/append-audit.ts';
import { translated } from './store-errors.ts';
import { decodeVersioned } from './versioned-json.ts';

interface Options {
  readonly audit: AuditBounds;
  /** Called for each entry that a list skips. */
  readonly onUnreadable?: OnUnreadable | undefined;
}

/** The parts of a log. Erasures have a part of their own, so that many of them cannot displace the changes of keys. */
const parts = ['audit', 'erasures'] as const;
type Part = (typeof parts)[number];

/** KEYS 1 log. ARGV 1 entry, 2 retention in ms, 3 maximum length. */
const source = `${luaAppendAudit}
append_audit(KEYS[1], ARGV[1], ARGV[2], ARGV[3])
`;

/** Creates the reads of audit logs, and the append of entries. Changes of keys and tenants are appended by their own scripts. */
export function createAuditLog(
  redis: Redis | Cluster,
  keys: Keys,
  { audit, onUnreadable }: Options,
): AuditLog {
  const append = createScript(redis, source);

  const appendTo = (part: Part, tenant: string, entry: AuditEntry) =>
    translated(async () => {
      await append([keys[part](tenant)], [JSON.stringify(entry), audit.ttlMs, audit.maxEntries]);
    });

  /** Returns the rows of a part, newest first, one more than requested if there are more. */
  async function readPart(part: Part, tenant: string, query: AuditQuery): Promise<Row[]> {
    const { limit, before } = query;
    const from = String(Math.max(query.fromMs ?? 0, query.nowMs - audit.ttlMs));
    const end = query.toMs === undefined ? '+' : `(${query.toMs}-0`;
    const below = before === undefined ? end : lower(end, boundOf(before, part));
    const rows = await redis.xrevrange(keys[part](tenant), below, from, 'COUNT', limit + 1);
    return rows.map(([id, [, text = '']]) => ({ position: `${id}.${parts.indexOf(part)}`, text }));
  }

  function decode(tenant: string, { position, text }: Row): StoredAuditEntry[] {
    try {
      return [{ position, entry: decodeVersioned(AuditEntry, text) }];
    } catch (error) {
      onUnreadable?.({ kind: 'audit_entry', tenant, id: parsePosition(position).id, error });
      return [];
    }
  }

  return {
    append: (tenant, entry) => appendTo('audit', tenant, entry),
    appendErasure: (tenant, entry) => appendTo('erasures', tenant, entry),
    list: (tenant, query) =>
      translated(async () => {
        const found = await Promise.all(parts.map((part) => readPart(part, tenant, query)));
        const sorted = found.flat().sort((a, b) => comparePositions(b.position, a.position));
        const page = sorted.slice(0, query.limit);
        return {
          entries: page.flatMap((row) => decode(tenant, row)),
          // A skipped entry ends no list.
          next: sorted.length > query.limit ? (page.at(-1)?.position ?? null) : null,
        };
      }),
  };
}

/** An entry as stored. */
interface Row {
  readonly position: string;
  readonly text: string;
}

interface Position {
  readonly id: string;
  readonly part: number;
}

function parsePosition(position: string): Position {
  const [id = '', part = '0'] = position.split('.');
  return { id, part: Number(part) };
}

/** Returns the end of the range of a part that lies before a position. Equal ids are listed with the last part first. */
function boundOf(before: string, part: Part): string {
  const { id, part: listed } = parsePosition(before);
  return parts.indexOf(part) < listed ? id : `(${id}`;
}

/** Returns the lower of two ends of a range. */
function lower(end: string, bound: string): string {
  if (end === '+') return bound;
  return compareIds(end.replace('(', ''), bound.replace('(', '')) <= 0 ? end : bound;
}

function comparePositions(a: string, b: string): number {
  const [left, right] = [parsePosition(a), parsePosition(b)];
  return compareIds(left.id, right.id) || left.part - right.part;
}

function compareIds(a: string, b: string): number {
  const [aMs = 0, aSeq = 0] = a.split('-').map(Number);
  const [bMs = 0, bSeq = 0] = b.split('-').map(Number);
  return aMs - bMs || aSeq - bSeq;
}
