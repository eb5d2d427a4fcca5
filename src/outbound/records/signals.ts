import type { Cluster, Redis } from 'ioredis';
import type { Signals } from '../../domain/ports.ts';
import type { Keys } from './keys.ts';
import { parsePolicyName } from './policy-changes.ts';
import { translated } from './store-errors.ts';

/**
 * Creates the signals over Redis pub/sub: changes of jobs, keys and tenants, and cancel requests. One subscription per process serves
 * all of its waiters, because a blocking connection per waiter does not scale.
 */
export function createSignals(
  publisher: Redis | Cluster,
  subscriber: Redis | Cluster,
  keys: Keys,
): Signals & { close(): void } {
  const waiters = new Map<string, Set<() => void>>();
  const listenersOf = new Map<string, Set<(id: string) => void>>([
    [keys.cancel, new Set()],
    [keys.policyChanged, new Set()],
  ]);

  const tenantListeners = new Map<string, Set<() => void>>();

  const onMessage = (channel: string, message: string) => {
    const listeners = listenersOf.get(channel);
    if (listeners) for (const listener of listeners) listener(message);
    else {
      for (const listener of [...(waiters.get(message) ?? [])]) listener();
      const tenant = message.slice(0, message.indexOf(' '));
      for (const listener of [...(tenantListeners.get(tenant) ?? [])]) listener();
    }
  };
  const listen = (channel: string, listener: (id: string) => void) => {
    listenersOf.get(channel)?.add(listener);
    return () => void listenersOf.get(channel)?.delete(listener);
  };
  subscriber.on('message', onMessage);
  // Redis may still be starting. The client queues the subscription and renews it after every reconnect.
  subscriber.subscribe(keys.changed, ...listenersOf.keys()).catch(() => {});

  return {
    onChange: (tenant, id, listener) => addTo(waiters, `${tenant} ${id}`, listener),
    onTenantChange: (tenant, listener) => addTo(tenantListeners, tenant, listener),
    onCancel: (listener) => listen(keys.cancel, listener),
    onPolicyChange: (listener) =>
      listen(keys.policyChanged, (text) => {
        const changed = parsePolicyName(text);
        if (changed) listener(changed);
      }),
    requestCancel: (id) => translated(async () => void (await publisher.publish(keys.cancel, id))),
    close: () => void subscriber.off('message', onMessage),
  };
}

/** Adds a listener of a topic. Returns a function that removes it. */
function addTo(all: Map<string, Set<() => void>>, topic: string, listener: () => void): () => void {
  const listeners = all.get(topic) ?? new Set();
  all.set(topic, listeners.add(listener));
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) all.delete(topic);
  };
}
