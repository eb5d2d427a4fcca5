import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * A cut of one connection. `request`: the server gets so many bytes of the request, then the connection is reset.
 * `response`: the caller gets so many bytes of the response, then the connection is reset; the server has the whole request.
 */
export interface Cut {
  readonly after: 'request' | 'response';
  readonly bytes: number;
}

interface Limit {
  readonly limitBytes: number;
  readonly reset: () => void;
}

/** A TCP proxy on loopback that cuts chosen connections. */
export interface CuttingProxy {
  readonly url: string;
  /** First lines of the requests so far, in the order of their connections. */
  readonly requests: readonly string[];
  /** Number of connections that were cut. */
  cuts(): number;
}

/**
 * Starts a proxy in front of a service. It is closed when the test ends.
 *
 * @param cutOf returns the cut of a connection, by the first line of its request. Default: every connection is complete.
 */
export async function startCuttingProxy(
  target: string,
  cutOf: (firstLine: string, connection: number) => Cut | undefined,
): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const requests: string[] = [];
  let cuts = 0;

  /** Transfers bytes until the limit, then resets the connection of the caller. */
  function transfer(from: Socket, to: Socket, { limitBytes, reset }: Limit): void {
    let rest = limitBytes;
    from.on('data', (part: Buffer) => {
      const allowed = part.subarray(0, Math.min(part.length, rest));
      rest -= allowed.length;
      to.write(allowed, () => rest <= 0 && reset());
      if (rest <= 0) from.pause();
    });
    from.on('end', () => to.end());
  }

  const server = createServer({ allowHalfOpen: true }, (caller) => {
    const upstream = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    for (const socket of [caller, upstream]) sockets.add(socket.on('error', () => undefined));
    caller.once('close', () => upstream.destroy());
    upstream.once('close', () => caller.destroy());
    caller.once('data', (first: Buffer) => {
      const line = first.subarray(0, first.indexOf('\r\n')).toString('latin1');
      const cut = cutOf(line, requests.push(line) - 1);
      const reset = () => {
        cuts += 1;
        caller.resetAndDestroy();
      };
      const limitOf = (after: Cut['after']): Limit => ({
        limitBytes: cut?.after === after ? cut.bytes : Number.POSITIVE_INFINITY,
        reset,
      });
      caller.pause();
      // A cut before the first byte of a response waits for that byte, so that the server has accepted the request.
      if (limitOf('response').limitBytes === 0) upstream.once('data', reset);
      else transfer(upstream, caller, limitOf('response'));
      if (limitOf('request').limitBytes === 0) return reset();
      transfer(caller, upstream, limitOf('request'));
      caller.unshift(first);
      caller.resume();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    cuts: () => cuts,
  };
}
