import { z } from 'zod';

/** Permissions of a key. `admin` includes all others. */
export const scopes = ['images:write', 'images:read', 'webhooks', 'admin'] as const;
export type Scope = (typeof scopes)[number];

const fields = z.object({
  id: z.string(),
  tenant: z.string(),
  name: z.string(),
  /** SHA-256 of the whole key, hexadecimal. A random key needs no slow hash, and a slow one could be used to block us. */
  digest: z.string(),
  scopes: z.array(z.string()),
  createdAt: z.int(),
  expiresAt: z.int().optional(),
  revokedAt: z.int().optional(),
});

/** A stored key, with its secret only as a digest. */
export type ApiKeyRecord = z.infer<typeof fields>;
/** Keeps the fields of a newer release. Unknown scopes stay as well and grant nothing here. */
export const ApiKeyRecord = fields.loose();

/** The caller of a request, as use cases see it. */
export interface Caller {
  readonly tenant: string;
  readonly keyId: string;
  readonly scopes: ReadonlySet<string>;
}

/** Whether a key is valid at a time. */
export function isLive(key: ApiKeyRecord, nowMs: number): boolean {
  return key.revokedAt === undefined && (key.expiresAt === undefined || key.expiresAt > nowMs);
}

/** Whether a set of scopes includes one. */
export function covers(held: ReadonlySet<string>, wanted: Scope): boolean {
  return held.has(wanted) || held.has('admin');
}

/** Allowed tenant names. They become part of keys and paths, so the alphabet is small. */
export const tenantPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
