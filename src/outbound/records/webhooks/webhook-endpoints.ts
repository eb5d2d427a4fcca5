import type { Cluster, Redis } from 'ioredis';
import { eventPatterns } from '../../../domain/image-request.ts';
import type { WebhookEndpoints } from '../../../domain/ports.ts';
import { isSubscribed, WebhookEndpoint } from '../../../domain/webhook-endpoint.ts';
import { type Keys, subscribersOf } from '../keys.ts';
import { createScript } from '../script.ts';
import { translated } from '../store-errors.ts';
import { decodeVersioned, encodeVersioned } from '../versioned-json.ts';
import { writeEndpointScript } from './scripts.ts';

/**
 * Registered endpoints in Redis. Beside their rows stands one set for each pattern of events, so that what an event costs
 * depends on who asked for it, not on how many endpoints there are.
 */
export function createWebhookEndpoints(redis: Redis | Cluster, keys: Keys): WebhookEndpoints {
  const writeEndpoint = createScript(redis, writeEndpointScript);
  const decode = (text: string) => decodeVersioned(WebhookEndpoint, text);

  async function write(endpoint: WebhookEndpoint, expectedVersion: number, max: number) {
    const { tenant, id } = endpoint;
    const asks = (pattern: (typeof eventPatterns)[number]) =>
      isSubscribed(endpoint) && endpoint.events.includes(pattern);
    return (await writeEndpoint(
      [
        keys.endpoint(tenant, id),
        keys.endpoints(tenant),
        ...eventPatterns.map((pattern) => keys.subscribers(tenant, pattern)),
      ],
      [
        ...[expectedVersion, encodeVersioned(endpoint), id, max],
        ...eventPatterns.map((pattern) => (asks(pattern) ? '1' : '0')),
      ],
    )) as [number, string?];
  }

  async function get(tenant: string, id: string): Promise<WebhookEndpoint | null> {
    const text = await redis.get(keys.endpoint(tenant, id));
    return text === null ? null : decode(text);
  }

  async function rows(tenant: string, ids: readonly string[]): Promise<WebhookEndpoint[]> {
    if (ids.length === 0) return [];
    const texts = await redis.mget(...ids.map((id) => keys.endpoint(tenant, id)));
    return texts.flatMap((text) => (text === null ? [] : [decode(text)]));
  }

  return {
    create: (endpoint, max) => translated(async () => (await write(endpoint, 0, max))[0] === 1),
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
          const [outcome, newer] = await write(after, current.version, Number.MAX_SAFE_INTEGER);
          if (outcome === 1) return after;
          current = outcome === 0 && newer !== undefined ? decode(newer) : null;
        }
        return null;
      }),
    remove: (tenant, id) =>
      translated(async () => {
        const commands = redis.multi().del(keys.endpoint(tenant, id)).zrem(keys.endpoints(tenant), id);
        for (const pattern of eventPatterns) commands.srem(keys.subscribers(tenant, pattern), id);
        const [deleted] = (await commands.exec()) ?? [];
        return deleted?.[1] === 1;
      }),
    subscribed: (tenant, type) =>
      translated(async () => rows(tenant, await redis.sunion(...subscribersOf(keys, tenant, type)))),
  };
}
