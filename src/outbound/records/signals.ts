import type { Cluster, Redis } from 'ioredis';
import type { Signals } from '../../domain/ports.ts';
import type { Keys } from './keys.ts';
import { translated } from './store-errors.ts';

/**
 * Changes and cancel wishes over Redis pub/sub: one subscription per process, whatever the number of waiters, since a
 * blocking connection per waiter does not scale.
 */
export function createSignals(
  publisher: Redis | Cluster,
  subscriber: Redis | Cluster,
  keys: Keys,
): Signals & { close(): void } {
  const waiters = new Map<string, Set<() => void>>();
  const cancelListeners = new Set<(id: string) => void>();

  const onMessage = (channel: string, message: string) => {
    if (channel === keys.cancel) for (const listener of cancelListeners) listener(message);
    else for (const listener of [...(waiters.get(message) ?? [])]) listener();
  };
  subscriber.on('message', onMessage);
  // Redis may still be starting: the subscription is queued and renewed by the client after every reconnect.
  subscriber.subscribe(keys.changed, keys.cancel).catch(() => {});

  return {
    onChange(tenant, id, listener) {
      const topic = `${tenant} ${id}`;
      const listeners = waiters.get(topic) ?? new Set();
      waiters.set(topic, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) waiters.delete(topic);
      };
    },
    onCancel(listener) {
      cancelListeners.add(listener);
      return () => void cancelListeners.delete(listener);
    },
    requestCancel: (id) => translated(async () => void (await publisher.publish(keys.cancel, id))),
    close: () => void subscriber.off('message', onMessage),
  };
}
