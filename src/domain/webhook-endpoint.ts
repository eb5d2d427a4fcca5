import { z } from 'zod';
import { AppError, type FieldIssue } from './errors.ts';
import { eventPatterns, inexactIssues } from './image-request.ts';
import { WebhookSecret } from './webhook-event.ts';

/** An address that a tenant registered for events of its jobs. */

const maxUrlLength = 2048;
const historyLength = 20;

const metadata = z.record(z.string().min(1).max(64), z.string().max(512)).meta({ maxProperties: 16 });
const events = z.array(z.enum(eventPatterns)).min(1).max(16);

export const EndpointBody = z.strictObject({
  url: z.string().min(1).max(maxUrlLength).describe('A public https address.'),
  events: events.optional().describe('What to send: single types, `image.*` or `*`, which is the default.'),
  description: z.string().max(512).optional().describe('For people.'),
  metadata: metadata.optional().describe('Up to 16 string pairs.'),
  secret: WebhookSecret.optional().describe('A secret of your own; one is made where it is absent.'),
});
export type EndpointBody = z.infer<typeof EndpointBody>;

export const EndpointPatch = z.strictObject({
  url: EndpointBody.shape.url.optional(),
  events: EndpointBody.shape.events,
  description: EndpointBody.shape.description,
  metadata: metadata.optional().describe('Replaces all pairs.'),
  disabled: z.boolean().optional().describe('`true` stops deliveries, `false` starts them again.'),
});
export type EndpointPatch = z.infer<typeof EndpointPatch>;

export const disabledReasons = ['requested', 'gone', 'failing'] as const;
export type DisabledReason = (typeof disabledReasons)[number];

export const endpointMoments = ['created', 'changed', 'secret_rotated', 'enabled', 'disabled'] as const;

export const WebhookEndpoint = z.object({
  id: z.string(),
  tenant: z.string(),
  version: z.int(),
  url: z.string(),
  events,
  description: z.string(),
  metadata: z.record(z.string(), z.string()),
  createdAt: z.int(),
  updatedAt: z.int(),
  disabled: z.object({ reason: z.enum(disabledReasons), at: z.int() }).optional(),
  /** Newest first, encrypted. All but the first end at their time. */
  secrets: z.array(z.object({ encrypted: z.string(), expiresAt: z.int().optional() })),
  /** What happened to it, oldest first; only the latest are kept. */
  history: z.array(z.object({ at: z.int(), what: z.enum(endpointMoments), detail: z.string().optional() })),
});
export type WebhookEndpoint = z.infer<typeof WebhookEndpoint>;

/** Old secrets go on signing for this long after a rotation. */
export const secretOverlapMs = 24 * 3_600_000;
/** Secrets that sign at the same time; receivers bound how many signatures they look at. */
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

/** An endpoint with a caller's changes; the same object when nothing changes. */
export function changeEndpoint(
  endpoint: WebhookEndpoint,
  patch: EndpointPatch,
  nowMs: number,
): WebhookEndpoint {
  const { disabled, ...fields } = patch;
  const given = Object.entries(fields).filter(
    ([name, value]) =>
      value !== undefined &&
      JSON.stringify(value) !== JSON.stringify(endpoint[name as keyof WebhookEndpoint]),
  );
  const changed =
    given.length === 0
      ? endpoint
      : noted(
          { ...endpoint, ...Object.fromEntries(given) },
          nowMs,
          'changed',
          given.map(([name]) => name).join(', '),
        );
  if (disabled === true)
    return changed.disabled?.reason === 'requested' ? changed : disable(changed, 'requested', nowMs);
  if (disabled === false && changed.disabled) {
    const { disabled: _disabled, ...rest } = changed;
    return noted(rest, nowMs, 'enabled');
  }
  return changed;
}

/** An endpoint that gets nothing any more, and why. */
export function disable(
  endpoint: WebhookEndpoint,
  reason: DisabledReason,
  nowMs: number,
  detail?: string,
): WebhookEndpoint {
  return noted({ ...endpoint, disabled: { reason, at: nowMs } }, nowMs, 'disabled', detail ?? reason);
}

/**
 * Puts a new secret first; those before it end after the overlap.
 *
 * @throws AppError `too_many_secrets` when too many would sign at the same time.
 */
export function rotateSecret(endpoint: WebhookEndpoint, encrypted: string, nowMs: number): WebhookEndpoint {
  const live = liveSecrets(endpoint, nowMs);
  if (live.length >= maxSecrets) {
    throw new AppError('too_many_secrets', {
      detail: `${live.length} secrets sign at the moment. Wait until the oldest has ended, 24 h after it was replaced.`,
    });
  }
  const older = live.map((each) => ({ ...each, expiresAt: each.expiresAt ?? nowMs + secretOverlapMs }));
  return noted({ ...endpoint, secrets: [{ encrypted }, ...older] }, nowMs, 'secret_rotated');
}

/** The secrets that sign at a moment, newest first; never empty. */
export function liveSecrets(endpoint: WebhookEndpoint, nowMs: number): WebhookEndpoint['secrets'] {
  return endpoint.secrets.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > nowMs);
}

/**
 * Whether events are written down for an endpoint: also for one that was switched off by what its receiver did, so that
 * they can be recovered.
 */
export function isSubscribed(endpoint: WebhookEndpoint): boolean {
  return endpoint.disabled?.reason !== 'requested';
}

/** Checks what a JSON Schema cannot. @throws AppError `validation_failed` naming every faulty field. */
export function checkEndpointText(body: EndpointBody | EndpointPatch): void {
  const issues: FieldIssue[] = inexactIssues(body);
  if (issues.length > 0) {
    throw new AppError('validation_failed', { detail: 'Correct the fields listed in errors.', issues });
  }
}

function noted(
  endpoint: WebhookEndpoint,
  at: number,
  what: (typeof endpointMoments)[number],
  detail?: string,
): WebhookEndpoint {
  const moment = { at, what, ...(detail ? { detail } : {}) };
  return { ...endpoint, updatedAt: at, history: [...endpoint.history, moment].slice(-historyLength) };
}
