import { healthy } from '../../domain/destination-health.ts';
import { AppError } from '../../domain/errors.ts';
import type {
  Clock,
  DeliveryQueues,
  DestinationGuard,
  Ids,
  Log,
  TaskQueue,
  WebhookEndpoints,
} from '../../domain/ports.ts';
import {
  changeEndpoint,
  checkEndpointText,
  createEndpoint,
  type EndpointBody,
  type EndpointPatch,
  rotateSecret,
  type WebhookEndpoint,
} from '../../domain/webhook-endpoint.ts';
import { type EndpointView, viewEndpoint } from '../../domain/webhook-view.ts';
import { enqueueDelivery } from './enqueue-delivery.ts';

interface Deps {
  endpoints: WebhookEndpoints;
  deliveryQueues: DeliveryQueues;
  webhookQueue: TaskQueue;
  guard: DestinationGuard;
  ids: Ids;
  clock: Clock;
  log: Log;
  createSecret: () => string;
  /** Checks a caller's own secret. @throws AppError `validation_failed` */
  secretFault: (secret: string) => { readonly message: string; readonly reason: string } | null;
  /** Encrypts a secret for its endpoint, so that it is worth nothing elsewhere. */
  seal: (secret: string, endpointId: string) => string;
  /** Most endpoints of a tenant. */
  max: number;
}

/** The text of a secret exists only in the answer that made it. */
type WithSecret = EndpointView & { secret: string };

/** Finds an endpoint. @throws AppError `not_found`, also for another tenant's. */
export async function findEndpoint(
  endpoints: WebhookEndpoints,
  tenant: string,
  id: string,
): Promise<WebhookEndpoint> {
  const endpoint = await endpoints.get(tenant, id);
  if (!endpoint) throw unknownEndpoint();
  return endpoint;
}

/** Registers, shows, changes and removes the addresses that a tenant wants events at. */
export function createManageEndpoints(deps: Deps) {
  async function show(endpoint: WebhookEndpoint): Promise<EndpointView> {
    const [health] = await deps.deliveryQueues.health(endpoint.tenant, [endpoint.id]);
    return viewEndpoint(endpoint, health ?? healthy, deps.clock());
  }

  async function update(
    tenant: string,
    id: string,
    change: (endpoint: WebhookEndpoint) => WebhookEndpoint | null,
  ): Promise<WebhookEndpoint> {
    const endpoint = await deps.endpoints.update(tenant, id, change);
    if (!endpoint) throw unknownEndpoint();
    return endpoint;
  }

  function secretFrom(given: string | undefined): string {
    if (given === undefined) return deps.createSecret();
    const fault = deps.secretFault(given);
    if (fault) {
      throw new AppError('validation_failed', {
        detail: fault.message,
        issues: [{ pointer: '/secret', detail: fault.reason }],
      });
    }
    return given;
  }

  return {
    /** @throws AppError `destination_forbidden`, `too_many_endpoints`, `validation_failed` */
    async create(tenant: string, body: EndpointBody): Promise<WithSecret> {
      checkEndpointText(body);
      deps.guard.checkUrl(body.url, '/url');
      const nowMs = deps.clock();
      const id = deps.ids.endpoint(nowMs);
      const secret = secretFrom(body.secret);
      const endpoint = createEndpoint({ id, tenant, body, nowMs, encryptedSecret: deps.seal(secret, id) });
      if (!(await deps.endpoints.create(endpoint, deps.max))) {
        throw new AppError('too_many_endpoints', {
          detail: `There are already ${deps.max} endpoints. Remove one, or send several kinds of events to one.`,
        });
      }
      return { ...(await show(endpoint)), secret };
    },

    async get(tenant: string, id: string): Promise<EndpointView> {
      return show(await findEndpoint(deps.endpoints, tenant, id));
    },

    async list(tenant: string, query: { limit: number; beforeId?: string | undefined }) {
      const { endpoints, nextBeforeId } = await deps.endpoints.list(tenant, query);
      return { endpoints: await Promise.all(endpoints.map(show)), nextBeforeId };
    },

    /** What waits for it goes to its new address; where it is switched off, nowhere. */
    async change(tenant: string, id: string, patch: EndpointPatch): Promise<EndpointView> {
      checkEndpointText(patch);
      if (patch.url !== undefined) deps.guard.checkUrl(patch.url, '/url');
      const nowMs = deps.clock();
      const endpoint = await update(tenant, id, (now) => {
        const next = changeEndpoint(now, patch, nowMs);
        return next === now ? null : next;
      });
      if (patch.url !== undefined || patch.disabled === false)
        await deps.deliveryQueues.resetBreaker(tenant, id);
      await enqueueDelivery(deps, tenant, await deps.deliveryQueues.dispatchTask(tenant, id));
      return show(endpoint);
    },

    /** The secret before goes on signing for a day. @throws AppError `too_many_secrets`, `validation_failed` */
    async rotateSecret(tenant: string, id: string, given: string | undefined): Promise<WithSecret> {
      const secret = secretFrom(given);
      const encrypted = deps.seal(secret, id);
      const nowMs = deps.clock();
      const endpoint = await update(tenant, id, (now) => rotateSecret(now, encrypted, nowMs));
      return { ...(await show(endpoint)), secret };
    },

    /** What waits for it is given up; its log stays as long as it would have. */
    async remove(tenant: string, id: string): Promise<void> {
      if (!(await deps.endpoints.remove(tenant, id))) throw unknownEndpoint();
      await enqueueDelivery(deps, tenant, await deps.deliveryQueues.dispatchTask(tenant, id));
    },
  };
}
export type ManageEndpoints = ReturnType<typeof createManageEndpoints>;

function unknownEndpoint(): AppError {
  return new AppError('not_found', { detail: 'There is no webhook endpoint with this id.' });
}
