import type { Cluster, Redis } from 'ioredis';
import { eventPatterns } from '../../../domain/image-request.ts';
import type { OnUnreadable, WebhookEndpoints } from '../../../domain/ports.ts';
import { WebhookEndpoint } from '../../../domain/webhook-endpoint.ts';
import { patternsFor } from '../../../domain/webhook-event.ts';
import { type Keys, subscribersOf } from '../keys.ts';
import { readableRows } from '../readable-rows.ts';
import { translated } from '../store-errors.ts';
import { decodeVersioned } from '../versioned-json.ts';
import { createWriteEndpoint } from './scripts/write-endpoint.ts';

/**
 * Creates the store of registered endpoints in Redis. One set for each event pattern contains the ids of its subscribers. The
 * cost of an event therefore depends on its subscribers and not on the number of endpoints.
 */
export function createWebhookEndpoints(
  redis: Redis | Cluster,
  keys: Keys,
  { onUnreadable }: { onUnreadable?: OnUnreadable } = {},
): WebhookEndpoints {
  const writeEndpoint = createWriteEndpoint(redis, keys);
  const decode = (text: string) => decodeVersioned(WebhookEndpoint, text);

  async function get(tenant: string, id: string): Promise<WebhookEndpoint | null> {
    const text = await redis.get(keys.endpoint(tenant, id));
    return text === null ? null : decode(text);
  }

  async function rows(tenant: string, ids: readonly string[]): Promise<WebhookEndpoint[]> {
    if (ids.length === 0) return [];
    const texts = await redis.mget(...ids.map((id) => keys.endpoint(tenant, id)));
    return readableRows(ids, texts, {
      decode,
      onUnreadable: (id, error) => onUnreadable?.({ kind: 'webhook_endpoint', tenant, id, error }),
    });
  }

  return {
    create: (endpoint, maxEndpoints) =>
      translated(async () => {
        const patterns = patternsOf(endpoint);
        return (await writeEndpoint({ endpoint, patterns, maxEndpoints })).kind === 'written';
      }),
    get: (tenant, id) => translated(() => get(tenant, id)),
    list: (tenant, { limit, beforeId }) =>
      translated(async () => {
        const below = beforeId === undefined ? '+' : `(${beforeId}`;
        const ids = await redis.zrevrangebylex(keys.endpoints(tenant), below, '-', 'LIMIT', 0, limit + 1);
        const page = ids.slice(0, limit);
        return {
          endpoints: await rows(tenant, page),
          nextBeforeId: ids.length > limit ? (page.at(-1) ?? null) : null,
        };
      }),
    update: (tenant, id, change) =>
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
          });
          if (reply.kind === 'written') return after;
          current = reply.kind === 'conflict' ? decode(reply.record) : null;
        }
        return null;
      }),
    remove: (tenant, id) =>
      translated(async () => {
        // Errors are ignored, because an unreadable endpoint can be removed too. `subscribed` ignores its remaining
        // subscriptions.
        const endpoint = await get(tenant, id).catch(() => undefined);
        const commands = redis.multi().del(keys.endpoint(tenant, id)).zrem(keys.endpoints(tenant), id);
        for (const pattern of patternsOf(endpoint)) commands.srem(keys.subscribers(tenant, pattern), id);
        const [deleted] = (await commands.exec()) ?? [];
        return deleted?.[1] === 1;
      }),
    subscribed: (tenant, type) =>
      translated(async () => {
        const found = await rows(tenant, await redis.sunion(...subscribersOf(keys, tenant, type)));
        // Another release may have left an outdated subscription.
        return found.filter(({ events }) => patternsFor(type).some((pattern) => events.includes(pattern)));
      }),
  };
}

/** Returns the patterns of this release and those of the given endpoints, which another release may know. */
function patternsOf(...endpoints: (WebhookEndpoint | null | undefined)[]): string[] {
  return [...new Set([...eventPatterns, ...endpoints.flatMap((each) => each?.events ?? [])])];
}
