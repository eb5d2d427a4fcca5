import type { Cluster, Redis } from 'ioredis';
import { eventPatterns } from '../../../domain/image-request.ts';
import type { OnUnreadable, WebhookEndpoints } from '../../../domain/ports.ts';
import { WebhookEndpoint } from '../../../domain/webhook-endpoint.ts';
import { patternsFor } from '../../../domain/webhook-event.ts';
import { type Keys, subscribersOf } from '../keys.ts';
import type { AuditBounds } from '../scripts/append-audit.ts';
import { translated } from '../store-errors.ts';
import { createVersionedRows } from '../versioned-rows.ts';
import { createRemoveEndpoint } from './scripts/remove-endpoint.ts';
import { createWriteEndpoint } from './scripts/write-endpoint.ts';

/**
 * Creates the store of registered endpoints in Redis. One set for each event pattern contains the ids of its subscribers. The
 * cost of an event therefore depends on its subscribers and not on the number of endpoints.
 */
export function createWebhookEndpoints(
  redis: Redis | Cluster,
  keys: Keys,
  { audit: bounds, onUnreadable }: { audit: AuditBounds; onUnreadable?: OnUnreadable },
): WebhookEndpoints {
  const writeEndpoint = createWriteEndpoint(redis, keys, bounds);
  const removeEndpoint = createRemoveEndpoint(redis, keys, bounds);
  const { decode, get, getAll, getPage } = createVersionedRows(redis, {
    kind: 'webhook_endpoint',
    schema: WebhookEndpoint,
    keyOf: keys.endpoint,
    onUnreadable,
  });

  return {
    create: (endpoint, { max, audit, claim }) =>
      translated(async () => {
        const patterns = patternsOf(endpoint);
        const reply = await writeEndpoint({ endpoint, patterns, maxEndpoints: max, audit, claim });
        if (reply.kind === 'written') return { kind: 'created' };
        if (reply.kind !== 'claimed') return { kind: 'full' };
        if (reply.fingerprint !== claim?.fingerprint) return { kind: 'key_reused' };
        const earlier = await get(endpoint.tenant, reply.id);
        return earlier ? { kind: 'replayed', endpoint: earlier } : { kind: 'removed' };
      }),
    get: (tenant, id) => translated(() => get(tenant, id)),
    list: (tenant, query) =>
      translated(async () => {
        const { rows, nextBeforeId } = await getPage(tenant, keys.endpoints(tenant), query);
        return { endpoints: rows, nextBeforeId };
      }),
    update: ({ tenant, id }, change, auditOf) =>
      translated(async () => {
        for (let current = await get(tenant, id); current; ) {
          const next = change(current);
          if (next === null) return current;
          const after = { ...next, version: current.version + 1 };
          const reply = await writeEndpoint({
            endpoint: after,
            expectedVersion: current.version,
            // Subscriptions of another release are removed too.
            patterns: patternsOf(after, current),
            audit: auditOf?.(current),
          });
          if (reply.kind === 'written') return after;
          current = reply.kind === 'conflict' ? decode(reply.record) : null;
        }
        return null;
      }),
    remove: (tenant, id, audit) =>
      translated(async () => {
        // Errors are ignored, because an unreadable endpoint can be removed too. `subscribed` ignores its remaining
        // subscriptions.
        const endpoint = await get(tenant, id).catch(() => undefined);
        return removeEndpoint({ tenant, id, patterns: patternsOf(endpoint), audit });
      }),
    subscribed: (tenant, type) =>
      translated(async () => {
        const found = await getAll(tenant, await redis.sunion(...subscribersOf(keys, tenant, type)));
        // Another release may have left an outdated subscription.
        return found.filter(({ events }) => patternsFor(type).some((pattern) => events.includes(pattern)));
      }),
  };
}

/** Returns the patterns of this release and those of the given endpoints, which another release may know. */
function patternsOf(...endpoints: (WebhookEndpoint | null | undefined)[]): string[] {
  return [...new Set([...eventPatterns, ...endpoints.flatMap((each) => each?.events ?? [])])];
}
