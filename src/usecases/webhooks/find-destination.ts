import type { Clock, Log, WebhookEndpoints } from '../../domain/ports.ts';
import type { Delivery } from '../../domain/webhook-delivery.ts';
import { type DisabledReason, disable, liveSecrets } from '../../domain/webhook-endpoint.ts';

/** Who the mail of one mailbox goes to. */
export interface Destination {
  readonly tenant: string;
  readonly destinationKey: string;
  readonly urlOf: (delivery: Delivery) => string;
  /** Set for a host that jobs named: what one of its addresses answers says nothing about the others. */
  readonly hasManyAddresses?: true;
  /** Newest first; never empty. */
  readonly secrets: readonly string[];
  /** Why nothing is to be sent at all, in one word. */
  readonly closed?: string;
  /**
   * Switches an endpoint off; a host that a job named has no such switch.
   *
   * @returns whether it is off: what an address did says nothing about the one that its owner has given since.
   */
  readonly disable?: (reason: DisabledReason) => Promise<boolean>;
}

interface Deps {
  endpoints: WebhookEndpoints;
  /** Secrets of a tenant, for the webhooks that jobs name. */
  secretsOf: (tenant: string) => readonly string[];
  /** The text of a kept secret. */
  unseal: (encrypted: string, endpointId: string) => string;
  clock: Clock;
  log: Log;
}

const disabledDetail: Readonly<Record<DisabledReason, string>> = {
  requested: 'switched off by its owner',
  gone: 'the receiver answered 410',
  failing: 'nothing could be delivered for days',
};

/** Finds the receiver of a mailbox: a registered endpoint, or a host that jobs named. */
export function createFindDestination(deps: Deps) {
  return async (tenant: string, destinationKey: string): Promise<Destination> => {
    if (!destinationKey.startsWith('whk_')) {
      const urlOf = (delivery: Delivery) => delivery.url;
      return { tenant, destinationKey, urlOf, hasManyAddresses: true, secrets: deps.secretsOf(tenant) };
    }
    const endpoint = await deps.endpoints.get(tenant, destinationKey);
    const base = { tenant, destinationKey, urlOf: () => endpoint?.url ?? '' };
    if (!endpoint) return { ...base, secrets: [], closed: 'endpoint_removed' };
    if (endpoint.disabled) return { ...base, secrets: [], closed: 'endpoint_disabled' };
    return {
      ...base,
      secrets: liveSecrets(endpoint, deps.clock()).map(({ encrypted }) =>
        deps.unseal(encrypted, endpoint.id),
      ),
      async disable(reason) {
        const after = await deps.endpoints.update(tenant, destinationKey, (now) =>
          now.disabled || now.url !== endpoint.url
            ? null
            : disable(now, reason, deps.clock(), disabledDetail[reason]),
        );
        const isOff = !after || after.disabled !== undefined;
        if (isOff)
          deps.log.warn({ tenant, endpoint_id: destinationKey, reason }, 'webhook endpoint switched off');
        return isOff;
      },
    };
  };
}
export type FindDestination = ReturnType<typeof createFindDestination>;
