import type { ImageJob } from '../../domain/image-job.ts';
import type {
  CheckRoom,
  Clock,
  Deliveries,
  DeliveryQueues,
  DestinationGuard,
  Ids,
  JobStore,
  Log,
  Meter,
  SendLimits,
  TaskQueue,
  WebhookEndpoints,
  WebhookEvents,
  WebhookSender,
} from '../../domain/ports.ts';
import { longestPendingMs } from '../../domain/webhook-delivery.ts';
import type { PresentJob } from '../jobs/present-job.ts';
import { createAttemptDelivery } from './attempt-delivery.ts';
import { createDeliverPending } from './deliver-pending.ts';
import type { DeliveryPolicy } from './delivery-run.ts';
import { createDispatchEvent } from './dispatch-event.ts';
import { createGetDelivery } from './get-delivery.ts';
import { createListDeliveries } from './list-deliveries.ts';
import { createManageEndpoints, type EndpointSecrets } from './manage-endpoints.ts';
import { createPresentDeliveries } from './present-deliveries.ts';
import { createRecoverEndpoint } from './recover-endpoint.ts';
import { createRedeliver } from './redeliver.ts';
import { createRenderEvent } from './render-event.ts';
import { createResolveDestination } from './resolve-destination.ts';
import { createRetryDelivery } from './retry-delivery.ts';
import { createTestEndpoint } from './test-endpoint.ts';

export interface WebhooksDeps {
  readonly records: JobStore;
  readonly events: WebhookEvents;
  readonly endpoints: WebhookEndpoints;
  readonly deliveries: Deliveries;
  readonly deliveryQueues: DeliveryQueues;
  readonly sendLimits: SendLimits;
  readonly webhookQueue: TaskQueue;
  readonly sender: WebhookSender;
  readonly guard: DestinationGuard;
  readonly checkRoom: CheckRoom;
  readonly presentJob: PresentJob;
  readonly secrets: WebhookSecrets;
  readonly ids: Ids;
  readonly clock: Clock;
  /** In [0, 1), for the jitter of the schedule. */
  readonly random: () => number;
  readonly meter: Meter;
  readonly log: Log;
  /** Base URL of the links in a payload. */
  readonly publicUrlFor: (job: ImageJob) => string;
  readonly policy: WebhooksPolicy;
}

/** Secrets of endpoints and of tenants. */
export interface WebhookSecrets extends EndpointSecrets {
  /** @throws Error if the secret was encrypted for another endpoint or with another key. */
  decrypt(encrypted: string, endpointId: string): string;
  /** Secret that signs the webhooks named by jobs of a tenant. */
  ofTenant(tenant: string): string;
}

/** Limits set by the deployment. */
export interface WebhooksPolicy extends DeliveryPolicy {
  /** Maximum number of endpoints of one tenant. */
  readonly maxEndpoints: number;
  /** Retention of ended deliveries, in milliseconds. */
  readonly logMs: number;
}

/** Builds the webhook use cases: dispatch events, deliver them, manage endpoints and read the delivery log. */
export function createWebhooks(deps: WebhooksDeps) {
  const { events, endpoints, deliveries, deliveryQueues, webhookQueue, ids, clock, log, policy } = deps;
  // A pending delivery needs the content of its event, however long ago the event happened.
  const contentTtlMs = policy.logMs + longestPendingMs(policy.schedule);
  const { encrypt, decrypt, create, faultOf, digest, ofTenant } = deps.secrets;
  const resolveDestination = createResolveDestination({ endpoints, decrypt, ofTenant, clock, log });
  const attemptDelivery = createAttemptDelivery({ sender: deps.sender, clock, meter: deps.meter, log });
  const renderEvent = createRenderEvent({ presentJob: deps.presentJob, publicUrlFor: deps.publicUrlFor });
  const presentDeliveries = createPresentDeliveries({ deliveries, deliveryQueues });
  const retryDelivery = createRetryDelivery({
    ...{ events, endpoints, deliveries, deliveryQueues },
    ...{ webhookQueue, clock, log },
  });
  return {
    dispatchEvent: createDispatchEvent({
      ...{ events, endpoints, webhookQueue, ids, clock, log, contentTtlMs },
      records: deps.records,
    }),
    deliverPending: createDeliverPending({
      ...{ deliveries, deliveryQueues, resolveDestination, attemptDelivery, renderEvent },
      sendLimits: deps.sendLimits,
      ...{ ids, clock, log, policy },
      random: deps.random,
    }),
    manageEndpoints: createManageEndpoints({
      ...{ endpoints, deliveryQueues, webhookQueue, ids, clock, log },
      guard: deps.guard,
      secrets: { create, encrypt, faultOf, digest },
      maxEndpoints: policy.maxEndpoints,
      checkRoom: deps.checkRoom,
    }),
    testEndpoint: createTestEndpoint({
      ...{ endpoints, deliveries, resolveDestination, attemptDelivery },
      ...{ ids, clock, contentTtlMs, checkRoom: deps.checkRoom },
      ...{ sendLimits: deps.sendLimits, limits: policy.requestsPerMinute },
    }),
    getDelivery: createGetDelivery({ deliveries, presentDeliveries }),
    listDeliveries: createListDeliveries({ deliveries, presentDeliveries }),
    redeliver: createRedeliver({ deliveries, presentDeliveries, retryDelivery }),
    recoverEndpoint: createRecoverEndpoint({ endpoints, deliveries, retryDelivery }),
  };
}
export type Webhooks = ReturnType<typeof createWebhooks>;
