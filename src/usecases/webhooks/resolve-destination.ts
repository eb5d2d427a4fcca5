import type { Clock, Log, WebhookEndpoints } from '../../domain/ports.ts';
import type { Delivery } from '../../domain/webhook-delivery.ts';
import { type DisabledReason, disable, liveSecrets } from '../../domain/webhook-endpoint.ts';

/** Destination of a delivery queue: a registered endpoint, or a host named by jobs. */
export interface Destination {
  readonly tenant: string;
  readonly destinationKey: string;
  readonly urlOf: (delivery: Delivery) => string;
  /** Set for a host named by jobs: the response of one of its URLs says nothing about the others. */
  readonly hasManyUrls?: true;
  /** Secrets that sign, newest first. Never empty if the destination is active. */
  readonly secrets: readonly string[];
  /** Outcome of every pending delivery if the destination takes none. */
  readonly inactive?: 'endpoint_removed' | 'endpoint_disabled';
  /**
   * Disables the endpoint. Absent for a host named by jobs.
   *
   * @returns false if the owner changed the URL since, because the failures concern the old URL.
   */
  readonly disable?: (reason: DisabledReason) => Promise<boolean>;
}

interface Deps {
  readonly endpoints: WebhookEndpoints;
  /** Secret that signs the webhooks named by jobs of a tenant. */
  readonly ofTenant: (tenant: string) => string;
  readonly decrypt: (encrypted: string, endpointId: string) => string;
  readonly clock: Clock;
  readonly log: Log;
}

const disabledDetail: Readonly<Record<DisabledReason, string>> = {
  requested: 'disabled by its owner',
  gone: 'the endpoint responded 410',
  failing: 'nothing could be delivered for days',
};

/** Returns the destination of a delivery queue. */
export function createResolveDestination(deps: Deps) {
  return async (tenant: string, destinationKey: string): Promise<Destination> => {
    if (!destinationKey.startsWith('whk_')) {
      const urlOf = (delivery: Delivery) => delivery.url;
      return { tenant, destinationKey, urlOf, hasManyUrls: true, secrets: [deps.ofTenant(tenant)] };
    }
    const endpoint = await deps.endpoints.get(tenant, destinationKey);
    const base = { tenant, destinationKey, urlOf: () => endpoint?.url ?? '' };
    if (!endpoint) return { ...base, secrets: [], inactive: 'endpoint_removed' };
    if (endpoint.disabled) return { ...base, secrets: [], inactive: 'endpoint_disabled' };
    return {
      ...base,
      secrets: liveSecrets(endpoint, deps.clock()).map(({ encrypted }) =>
        deps.decrypt(encrypted, endpoint.id),
      ),
      async disable(reason) {
        const after = await deps.endpoints.update({ tenant, id: destinationKey }, (now) =>
          now.disabled || now.url !== endpoint.url
            ? null
            : disable(now, reason, { nowMs: deps.clock(), detail: disabledDetail[reason] }),
        );
        const isDisabled = !after || after.disabled !== undefined;
        if (isDisabled)
          deps.log.warn({ tenant, endpoint_id: destinationKey, reason }, 'webhook endpoint disabled');
        return isDisabled;
      },
    };
  };
}
export type ResolveDestination = ReturnType<typeof createResolveDestination>;
