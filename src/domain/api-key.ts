import { z } from 'zod';
import { type CallerPolicy, ownerPolicy } from './access-policy.ts';
import { storedObject } from './stored.ts';

/** Permissions of a key. `admin` includes all others. */
export const scopes = ['images:write', 'images:read', 'webhooks', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** A stored key, with its secret only as a digest. Unknown scopes stay in the record and grant nothing here. */
export const ApiKeyRecord = storedObject({
  /** Increased by the store with every write; the basis of compare-and-set. */
  version: z.int(),
  id: z.string(),
  tenant: z.string(),
  name: z.string(),
  /** SHA-256 of the whole key, hexadecimal. A random key needs no slow hash, and a slow one could be used to block us. */
  digest: z.string(),
  /** Replaced digests, newest first. Each is valid until its time. */
  previous: z.array(storedObject({ digest: z.string(), until: z.int() })).optional(),
  scopes: z.array(z.string()),
  createdAt: z.int(),
  updatedAt: z.int().optional(),
  expiresAt: z.int().optional(),
  revokedAt: z.int().optional(),
  disabled: z.boolean().optional(),
  ...ownerPolicy,
  /** Names of the models that requests may use. Absent: every model. */
  models: z.array(z.string()).optional(),
  /** Whether each request must name a preset. */
  presetsOnly: z.boolean().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
});
export type ApiKeyRecord = z.infer<typeof ApiKeyRecord>;

/** The caller of a request, as use cases see it. */
export interface Caller {
  readonly tenant: string;
  readonly keyId: string;
  readonly scopes: ReadonlySet<string>;
  /** Whether the key is the operator's. It manages the keys and the rules of every tenant. */
  readonly isOperator: boolean;
  readonly policy: CallerPolicy;
}

/** Whether a key is valid at a time. */
export function isLive(key: ApiKeyRecord, nowMs: number): boolean {
  const { disabled = false, revokedAt, expiresAt } = key;
  return !disabled && revokedAt === undefined && (expiresAt === undefined || expiresAt > nowMs);
}

/** Whether a set of scopes includes one. */
export function covers(held: ReadonlySet<string>, wanted: Scope): boolean {
  return held.has(wanted) || held.has('admin');
}

/** Allowed tenant names. They become part of keys and paths, so the alphabet is small. */
export const tenantPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** Tenant of the operator's key. */
export const operatorTenant = 'admin';
