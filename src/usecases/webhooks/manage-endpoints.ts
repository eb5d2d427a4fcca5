import { type AuditEntry, type Author, auditEntryOf } from '../../domain/audit.ts';
import { creationClaim, keyReused } from '../../domain/creation-claim.ts';
import { type DestinationHealth, healthy } from '../../domain/destination-health.ts';
import { AppError } from '../../domain/errors.ts';
import type {
  CheckRoom,
  Clock,
  DeliveryQueues,
  DestinationGuard,
  Ids,
  Log,
  TaskQueue,
  WebhookEndpoints,
} from '../../domain/ports.ts';
import {
  changedFields,
  checkEndpointText,
  createEndpoint,
  type EndpointBody,
  type EndpointPatch,
  rotateSecret,
  type SecretRotation,
  updateEndpoint,
  type WebhookEndpoint,
} from '../../domain/webhook-endpoint.ts';
import { type EndpointView, viewEndpoint } from '../../domain/webhook-view.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { enqueueDelivery } from './enqueue-delivery.ts';

interface Deps {
  readonly endpoints: WebhookEndpoints;
  readonly deliveryQueues: DeliveryQueues;
  readonly webhookQueue: TaskQueue;
  readonly guard: DestinationGuard;
  readonly secrets: EndpointSecrets;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  /** Maximum number of endpoints of one tenant. */
  readonly maxEndpoints: number;
  readonly checkRoom: CheckRoom;
}

/** Secrets of endpoints. */
export interface EndpointSecrets {
  create(): string;
  /** Returns why a caller's own secret is unusable; `null` if it can sign. */
  faultOf(secret: string): { readonly message: string; readonly reason: string } | null;
  /** Encrypts a secret for one endpoint; the result cannot be decrypted for another endpoint. */
  encrypt(secret: string, endpointId: string): string;
  /** Keyed digest (HMAC) of a request, which may contain a secret. */
  digest(text: string): string;
}

/** Response that contains the plain text of a new secret. No later response does. */
type WithSecret = EndpointView & { secret: string };

/** Returns an endpoint. @throws AppError `not_found`, also for an endpoint of another tenant. */
export async function getEndpoint(
  endpoints: WebhookEndpoints,
  tenant: string,
  id: string,
): Promise<WebhookEndpoint> {
  const endpoint = await endpoints.get(tenant, id);
  if (!endpoint) throw unknownEndpoint();
  return endpoint;
}

/**
 * Creates, returns, updates and deletes the registered endpoints of a tenant. Every change has an entry in the audit log, and
 * ends the current delivery run, which still sends to the earlier endpoint.
 */
export function createManageEndpoints(deps: Deps) {
  async function healthOf(tenant: string, id: string): Promise<DestinationHealth> {
    const [health] = await deps.deliveryQueues.health(tenant, [id]);
    return health ?? healthy;
  }

  async function present(endpoint: WebhookEndpoint): Promise<EndpointView> {
    return viewEndpoint(endpoint, await healthOf(endpoint.tenant, endpoint.id), deps.clock());
  }

  async function update(
    { tenant, id }: { tenant: string; id: string },
    change: (endpoint: WebhookEndpoint) => WebhookEndpoint | null,
    auditOf: (before: WebhookEndpoint) => AuditEntry,
  ): Promise<WebhookEndpoint> {
    const endpoint = await deps.endpoints.update({ tenant, id }, change, auditOf);
    if (!endpoint) throw unknownEndpoint();
    return endpoint;
  }

  function secretFrom(given: string | undefined): string {
    if (given === undefined) return deps.secrets.create();
    const fault = deps.secrets.faultOf(given);
    if (fault) {
      throw new AppError('validation_failed', {
        detail: fault.message,
        issues: [{ pointer: '/secret', detail: fault.reason }],
      });
    }
    return given;
  }

  return {
    /**
     * Registers an endpoint. A request with the idempotency key of an earlier one returns the endpoint of that request
     * without its secret, which only the first response contains.
     *
     * @throws AppError `destination_forbidden`, `too_many_endpoints`, `validation_failed`, `idempotency_key_reused`
     */
    async create(
      { tenant, actor }: Author,
      body: EndpointBody,
      idempotencyKey?: string,
    ): Promise<EndpointView & Partial<WithSecret>> {
      checkEndpointText(body);
      deps.checkRoom();
      const url = deps.guard.checkUrl(body.url, '/url').href;
      const nowMs = deps.clock();
      const id = deps.ids.endpoint(nowMs);
      const secret = secretFrom(body.secret);
      const encryptedSecret = deps.secrets.encrypt(secret, id);
      const endpoint = createEndpoint({ id, tenant, body: { ...body, url }, nowMs, encryptedSecret });
      const entry = { at: nowMs, tenant, action: 'webhook_endpoint.created', target: id } as const;
      const outcome = await deps.endpoints.create(endpoint, {
        max: deps.maxEndpoints,
        audit: auditEntryOf(actor, entry),
        claim: creationClaim(deps.secrets.digest, { idempotencyKey, request: canonicalJson(body) }),
      });
      if (outcome.kind === 'replayed') return present(outcome.endpoint);
      if (outcome.kind !== 'created') throw notCreated(outcome.kind, deps.maxEndpoints);
      // No further read, because its failure would lose the secret of an endpoint that exists.
      return { ...viewEndpoint(endpoint, healthy, nowMs), secret };
    },

    /** @throws AppError `not_found` */
    async get(tenant: string, id: string): Promise<EndpointView> {
      return present(await getEndpoint(deps.endpoints, tenant, id));
    },

    async list(tenant: string, query: { limit: number; beforeId?: string | undefined }) {
      const { endpoints, nextBeforeId } = await deps.endpoints.list(tenant, query);
      return { endpoints: await Promise.all(endpoints.map(present)), nextBeforeId };
    },

    /**
     * Updates an endpoint. Its pending deliveries go to the new URL; if the endpoint is disabled, they fail.
     *
     * @throws AppError `not_found`, `destination_forbidden`, `validation_failed`
     */
    async update({ tenant, actor }: Author, id: string, given: EndpointPatch): Promise<EndpointView> {
      checkEndpointText(given);
      const url = given.url === undefined ? {} : { url: deps.guard.checkUrl(given.url, '/url').href };
      const patch = { ...given, ...url };
      const nowMs = deps.clock();
      const endpoint = await update(
        { tenant, id },
        (now) => {
          const next = updateEndpoint(now, patch, nowMs);
          return next === now ? null : next;
        },
        (before) =>
          auditEntryOf(actor, {
            ...{ at: nowMs, tenant, action: 'webhook_endpoint.changed', target: id },
            fields: changedFields(before, patch),
          }),
      );
      const expectsToWork = patch.url !== undefined || patch.disabled === false;
      await deps.deliveryQueues[expectsToWork ? 'resetBreaker' : 'interruptRun'](tenant, id);
      await enqueueDelivery(deps, tenant, await deps.deliveryQueues.dispatchTask(tenant, id));
      return present(endpoint);
    },

    /**
     * Replaces the secret. The previous secrets also sign for the grace period, by default 24 hours.
     *
     * @throws AppError `not_found`, `too_many_secrets`, `validation_failed`
     */
    async rotateSecret({ tenant, actor }: Author, id: string, rotation: SecretRotation): Promise<WithSecret> {
      const secret = secretFrom(rotation.secret);
      const encrypted = deps.secrets.encrypt(secret, id);
      const nowMs = deps.clock();
      const entry = { at: nowMs, tenant, action: 'webhook_endpoint.rotated', target: id } as const;
      // Read first, because nothing may fail after the write: the secret is shown once.
      const health = await healthOf(tenant, id);
      const endpoint = await update(
        { tenant, id },
        (now) => rotateSecret(now, encrypted, { nowMs, graceSeconds: rotation.grace_s }),
        () => auditEntryOf(actor, entry),
      );
      await deps.deliveryQueues.interruptRun(tenant, id).catch((error) => {
        deps.log.warn(
          { err: error, tenant, endpoint_id: id },
          'delivery run not ended; it signs with the earlier secrets',
        );
      });
      return { ...viewEndpoint(endpoint, health, nowMs), secret };
    },

    /** Deletes an endpoint. Its pending deliveries fail; its delivery log stays until its retention ends. */
    async delete({ tenant, actor }: Author, id: string): Promise<void> {
      const entry = { at: deps.clock(), tenant, action: 'webhook_endpoint.deleted', target: id } as const;
      if (!(await deps.endpoints.remove(tenant, id, auditEntryOf(actor, entry)))) throw unknownEndpoint();
      await deps.deliveryQueues.interruptRun(tenant, id);
      await enqueueDelivery(deps, tenant, await deps.deliveryQueues.dispatchTask(tenant, id));
    },
  };
}
export type ManageEndpoints = ReturnType<typeof createManageEndpoints>;

function notCreated(reason: 'full' | 'removed' | 'key_reused', maxEndpoints: number): AppError {
  if (reason === 'full') {
    return new AppError('too_many_endpoints', {
      detail: `The limit of ${maxEndpoints} endpoints is reached. Delete one, or send several event types to one.`,
    });
  }
  if (reason === 'key_reused') return keyReused();
  return new AppError('idempotency_key_reused', {
    detail:
      'The endpoint that this Idempotency-Key registered was removed. Use a new key to register it again.',
  });
}

function unknownEndpoint(): AppError {
  return new AppError('not_found', { detail: 'There is no webhook endpoint with this id.' });
}
