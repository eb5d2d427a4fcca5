import { EventEmitter, once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

/**
 * A fault of all connections of a proxy, open ones included. `pass`: no fault. `latency`: delays every chunk in both
 * directions. `cut`: ends a connection after so many bytes of the response. `reset`: resets every connection.
 * `black-hole`: accepts connections and transfers nothing until the fault ends, like a network that loses packets.
 * `refuse`: does not listen.
 */
export type ConnectionFault =
  | { readonly kind: 'pass' | 'reset' | 'black-hole' | 'refuse' }
  | { readonly kind: 'latency'; readonly ms: number }
  | { readonly kind: 'cut'; readonly afterBytes: number };

/** A TCP proxy on loopback in front of one server, with faults that can be set at run time. */
export interface FaultProxy {
  readonly port: number;
  /** Number of connections accepted so far. */
  accepted(): number;
  /** Sets the fault. Resolves when it is active. */
  set(fault: ConnectionFault): Promise<void>;
  /** Resets every connection and stops listening. */
  close(): Promise<void>;
}

/** Starts a proxy in front of a local port. */
export async function startFaultProxy(targetPort: number): Promise<FaultProxy> {
  let fault: ConnectionFault = { kind: 'pass' };
  let accepted = 0;
  const changes = new EventEmitter().setMaxListeners(0);
  const callers = new Set<Socket>();

  /** Waits as long as the active fault requires. */
  async function wait(): Promise<void> {
    while (fault.kind === 'black-hole') await once(changes, 'change');
    if (fault.kind === 'latency') await sleep(fault.ms);
  }
  const responseLimit = () => (fault.kind === 'cut' ? fault.afterBytes : Number.POSITIVE_INFINITY);

  const server = createServer({ allowHalfOpen: true }, (caller) => {
    accepted += 1;
    caller.on('error', () => undefined);
    if (fault.kind === 'reset') return void caller.resetAndDestroy();
    callers.add(caller);
    const target = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    caller.once('close', () => {
      callers.delete(caller);
      target.destroy();
    });
    target.on('error', () => caller.resetAndDestroy());
    const broken = () => caller.destroy();
    transfer(caller, target, { wait, limitBytes: () => Number.POSITIVE_INFINITY }).catch(broken);
    transfer(target, caller, { wait, limitBytes: responseLimit }).then(() => caller.destroySoon(), broken);
  });

  const port = await freePort();
  async function listen(): Promise<void> {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  }
  const breakAll = () => {
    for (const caller of callers) caller.resetAndDestroy();
  };
  async function stopListening(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    breakAll();
    await closed;
  }
  await listen();

  return {
    port,
    accepted: () => accepted,
    async set(next) {
      fault = next;
      changes.emit('change');
      if (next.kind === 'refuse') return stopListening();
      if (next.kind === 'reset') breakAll();
      if (!server.listening) await listen();
    },
    async close() {
      fault = { kind: 'refuse' };
      changes.emit('change');
      await stopListening();
    },
  };
}

/** Transfers bytes in one direction until the end or the limit. Rejects if either side breaks. */
async function transfer(
  from: Socket,
  to: Socket,
  { wait, limitBytes }: { wait: () => Promise<void>; limitBytes: () => number },
): Promise<void> {
  let transferred = 0;
  for await (const chunk of from.iterator({ destroyOnReturn: false })) {
    await wait();
    const rest = (chunk as Buffer).subarray(0, Math.max(0, limitBytes() - transferred));
    transferred += rest.length;
    if (!to.write(rest)) await drained(to);
    if (transferred >= limitBytes()) break;
  }
  await wait();
  to.end();
}

/** Resolves when a socket accepts further bytes, or is closed. */
async function drained(socket: Socket): Promise<void> {
  const done = new AbortController();
  const { signal } = done;
  // The other listener is removed at the end.
  await Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]);
  done.abort();
}
