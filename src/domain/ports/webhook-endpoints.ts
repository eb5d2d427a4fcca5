import type { AuditEntry } from '../audit.ts';
import type { Open } from '../open.ts';
import type { WebhookEndpoint } from '../webhook-endpoint.ts';
import type { EventType } from '../webhook-event.ts';
import type { IdempotencyClaim } from './records.ts';

/** The store of registered endpoints. */

/** Result of a request for an endpoint. `replayed` has the endpoint of an earlier request with the same idempotency key. */
export type EndpointCreation =
  | { readonly kind: 'created' }
  | { readonly kind: 'replayed'; readonly endpoint: WebhookEndpoint }
  /** The endpoint of the earlier request with this idempotency key was removed. */
  | { readonly kind: 'removed' }
  /** The idempotency key was used for another request. */
  | { readonly kind: 'key_reused' }
  /** The tenant has as many endpoints as allowed. */
  | { readonly kind: 'full' };

export interface WebhookEndpoints {
  /**
   * Claims the idempotency key if there is one, and writes the endpoint, its subscriptions and the entry in the audit log.
   * Atomic: does all of it or nothing.
   *
   * @param options.max maximum number of endpoints of the tenant.
   */
  create(
    endpoint: WebhookEndpoint,
    options: {
      readonly max: number;
      readonly audit?: AuditEntry | undefined;
      readonly claim?: IdempotencyClaim | undefined;
    },
  ): Promise<EndpointCreation>;
  get(tenant: string, id: string): Promise<WebhookEndpoint | null>;
  /** Returns a page, newest first. Endpoints that this release cannot read are skipped and reported. */
  list(
    tenant: string,
    query: { limit: number; beforeId?: string | undefined },
  ): Promise<{ endpoints: readonly WebhookEndpoint[]; nextBeforeId: string | null }>;
  /**
   * Compare-and-set of an endpoint together with its subscriptions. `change` must be pure.
   *
   * @param auditOf returns the entry in the audit log, which is written in the same step. Absent for a change without an author.
   * @returns the endpoint as it is now; `null` if there is none.
   */
  update(
    endpoint: Pick<WebhookEndpoint, 'tenant' | 'id'>,
    change: (endpoint: WebhookEndpoint) => WebhookEndpoint | null,
    auditOf?: (before: WebhookEndpoint) => AuditEntry,
  ): Promise<WebhookEndpoint | null>;
  /** Removes an endpoint and writes the entry in the audit log. Atomic. @returns whether the endpoint existed. */
  remove(tenant: string, id: string, audit?: AuditEntry): Promise<boolean>;
  /** Returns the endpoints for which an event of this type is recorded. */
  subscribed(tenant: string, type: Open<EventType>): Promise<WebhookEndpoint[]>;
}
