import { z } from 'zod';
import { inexactIssues } from './check-request-text.ts';
import { AppError, type FieldIssue } from './errors.ts';
import { eventPatterns } from './image-request.ts';
import { openText, storedObject } from './stored.ts';
import { type EventPattern, WebhookSecret } from './webhook-event.ts';

/** A URL that a tenant registered for the events of its jobs. */

const maxUrlLength = 2048;
const historyLength = 20;
/** Version of the stored shape. */
export const endpointSchema = 1;

/** Time for which replaced secrets still sign if a rotation names no grace period, in seconds. */
export const defaultGraceSeconds = 86_400;
const maxGraceSeconds = 30 * 86_400;

const metadata = z.record(z.string().min(1).max(64), z.string().max(512)).meta({ maxProperties: 16 });
const events = z.array(z.enum(eventPatterns)).min(1).max(16);

export const EndpointBody = z.strictObject({
  url: z.string().min(1).max(maxUrlLength).describe('Public https URL.'),
  events: events.optional().describe('Event types, `image.*` or `*`. Default: `*`.'),
  description: z.string().max(512).optional().describe('Free text for the owner.'),
  metadata: metadata.optional().describe('Up to 16 string pairs.'),
  secret: WebhookSecret.optional().describe('Own secret. Default: a new random secret.'),
});
export type EndpointBody = z.infer<typeof EndpointBody>;

export const EndpointPatch = z.strictObject({
  url: EndpointBody.shape.url.optional(),
  events: EndpointBody.shape.events,
  description: EndpointBody.shape.description,
  metadata: metadata.optional().describe('Replaces all pairs.'),
  disabled: z
    .boolean()
    .optional()
    .describe('`true` stops deliveries, `false` resumes them. The events of that time can be recovered.'),
});
export type EndpointPatch = z.infer<typeof EndpointPatch>;

export const SecretRotation = z.strictObject({
  secret: WebhookSecret.optional().describe('New secret. Default: a generated one.'),
  grace_s: z
    .int()
    .min(0)
    .max(maxGraceSeconds)
    .optional()
    .describe(
      `Time for which the earlier secrets also sign at most, in seconds. 0 ends them at once. Default: ${defaultGraceSeconds}.`,
    ),
});
export type SecretRotation = z.infer<typeof SecretRotation>;

export const disabledReasons = ['requested', 'gone', 'failing'] as const;
export type DisabledReason = (typeof disabledReasons)[number];

export const endpointChanges = ['created', 'changed', 'secret_rotated', 'enabled', 'disabled'] as const;
export type EndpointChange = (typeof endpointChanges)[number];

export const WebhookEndpoint = storedObject({
  /** Version of the stored shape. */
  schema: z.int(),
  id: z.string(),
  tenant: z.string(),
  /** Increased by the store with every write; the basis of compare-and-set. */
  version: z.int(),
  url: z.string(),
  events: z.array(openText<EventPattern>()),
  description: z.string(),
  metadata: z.record(z.string(), z.string()),
  createdAt: z.int(),
  updatedAt: z.int(),
  disabled: storedObject({ reason: openText<DisabledReason>(), at: z.int() }).optional(),
  /** Newest first, encrypted. Every secret but the first expires. */
  secrets: z.array(storedObject({ encrypted: z.string(), expiresAt: z.int().optional() })),
  /** The latest changes, oldest first. */
  history: z.array(
    storedObject({ at: z.int(), what: openText<EndpointChange>(), detail: z.string().optional() }),
  ),
});
export type WebhookEndpoint = z.infer<typeof WebhookEndpoint>;

/** Maximum number of signing secrets; verifiers limit the number of signatures that they check. */
const maxSecrets = 4;

export function createEndpoint(given: {
  id: string;
  tenant: string;
  body: EndpointBody;
  encryptedSecret: string;
  nowMs: number;
}): WebhookEndpoint {
  const { id, tenant, body, nowMs } = given;
  return {
    schema: endpointSchema,
    id,
    tenant,
    version: 1,
    url: body.url,
    events: body.events ?? ['*'],
    description: body.description ?? '',
    metadata: body.metadata ?? {},
    createdAt: nowMs,
    updatedAt: nowMs,
    secrets: [{ encrypted: given.encryptedSecret }],
    history: [{ at: nowMs, what: 'created' }],
  };
}

/** Returns the names of the fields that a patch changes. */
export function changedFields(endpoint: WebhookEndpoint, patch: EndpointPatch): string[] {
  const { disabled, ...fields } = patch;
  const names = Object.entries(fields)
    .filter(
      ([name, value]) =>
        value !== undefined &&
        JSON.stringify(value) !== JSON.stringify(endpoint[name as keyof WebhookEndpoint]),
    )
    .map(([name]) => name);
  const isSwitched = disabled
    ? endpoint.disabled?.reason !== 'requested'
    : disabled === false && endpoint.disabled;
  return isSwitched ? [...names, 'disabled'] : names;
}

/** Applies a caller's patch. @returns the same object if nothing changes. */
export function updateEndpoint(
  endpoint: WebhookEndpoint,
  patch: EndpointPatch,
  nowMs: number,
): WebhookEndpoint {
  const { disabled } = patch;
  const names = changedFields(endpoint, patch).filter((name) => name !== 'disabled');
  const changes = names.map((name) => [name, patch[name as keyof EndpointPatch]]);
  const updated =
    changes.length === 0
      ? endpoint
      : withHistory(
          { ...endpoint, ...Object.fromEntries(changes) },
          { at: nowMs, what: 'changed', detail: names.join(', ') },
        );
  if (disabled === true) {
    if (updated.disabled?.reason === 'requested') return updated;
    return disable(updated, 'requested', { nowMs });
  }
  if (disabled === false && updated.disabled) {
    const { disabled: _disabled, ...rest } = updated;
    return withHistory(rest, { at: nowMs, what: 'enabled' });
  }
  return updated;
}

/** Returns an endpoint that receives no deliveries, with the reason. */
export function disable(
  endpoint: WebhookEndpoint,
  reason: DisabledReason,
  { nowMs, detail = reason }: { nowMs: number; detail?: string },
): WebhookEndpoint {
  return withHistory(
    { ...endpoint, disabled: { reason, at: nowMs } },
    { at: nowMs, what: 'disabled', detail },
  );
}

/**
 * Puts a new secret first. The previous secrets sign for the grace period at most.
 *
 * @throws AppError `too_many_secrets` if too many secrets would sign at the same time.
 */
export function rotateSecret(
  endpoint: WebhookEndpoint,
  encrypted: string,
  { nowMs, graceSeconds = defaultGraceSeconds }: { nowMs: number; graceSeconds?: number | undefined },
): WebhookEndpoint {
  const graceEndMs = nowMs + graceSeconds * 1000;
  const older = liveSecrets(endpoint, nowMs)
    .map((each) => ({ ...each, expiresAt: Math.min(each.expiresAt ?? graceEndMs, graceEndMs) }))
    .filter(({ expiresAt }) => expiresAt > nowMs);
  if (older.length >= maxSecrets) {
    throw new AppError('too_many_secrets', {
      detail: `${older.length} secrets sign at the moment. Wait until one expires, or pass a grace_s of 0.`,
    });
  }
  return withHistory(
    { ...endpoint, secrets: [{ encrypted }, ...older] },
    { at: nowMs, what: 'secret_rotated' },
  );
}

/** Returns the secrets that sign at a time, newest first. Never empty. */
export function liveSecrets(endpoint: WebhookEndpoint, nowMs: number): WebhookEndpoint['secrets'] {
  return endpoint.secrets.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > nowMs);
}

/** Checks rules that JSON Schema cannot express. @throws AppError `validation_failed` naming every invalid field. */
export function checkEndpointText(body: EndpointBody | EndpointPatch): void {
  const issues: FieldIssue[] = inexactIssues(body);
  if (issues.length > 0) {
    throw new AppError('validation_failed', { detail: 'Correct the fields listed in errors.', issues });
  }
}

function withHistory(
  endpoint: WebhookEndpoint,
  entry: { at: number; what: EndpointChange; detail?: string },
): WebhookEndpoint {
  return {
    ...endpoint,
    updatedAt: entry.at,
    history: [...endpoint.history, entry].slice(-historyLength),
  };
}
