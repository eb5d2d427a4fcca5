import { z } from 'zod';

/** What a key may do. `admin` includes everything. */
export const scopes = ['images:write', 'images:read', 'webhooks', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** A key as kept: its secret only as a digest. */
export const ApiKeyRecord = z.object({
  id: z.string(),
  tenant: z.string(),
  name: z.string(),
  /** SHA-256 of the whole key, hex. High entropy makes a slow hash needless, and a slow one is a way to stall us. */
  digest: z.string(),
  scopes: z.array(z.enum(scopes)),
  createdAt: z.int(),
  expiresAt: z.int().optional(),
  revokedAt: z.int().optional(),
});
export type ApiKeyRecord = z.infer<typeof ApiKeyRecord>;

/** Who calls, as far as the use cases need to know. */
export interface Caller {
  readonly tenant: string;
  readonly keyId: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** Whether a key is valid at a moment. */
export function isLive(key: ApiKeyRecord, nowMs: number): boolean {
  return key.revokedAt === undefined && (key.expiresAt === undefined || key.expiresAt > nowMs);
}

/** Whether a set of scopes covers one. */
export function covers(held: ReadonlySet<Scope>, wanted: Scope): boolean {
  return held.has(wanted) || held.has('admin');
}

/** Tenant names become part of keys and paths, so only this alphabet is allowed. */
export const tenantPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
