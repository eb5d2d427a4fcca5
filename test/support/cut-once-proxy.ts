import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Bytes in one direction without a byte in the other, by their positions in all bytes of the proxy. */
export interface Segment {
  readonly to: 'service' | 'caller';
  readonly start: number;
  end: number;
}

/** A TCP proxy that cuts all connections once, after a number of bytes in both directions together. */
export interface CutOnceProxy {
  readonly url: string;
  /** The conversation so far: a segment for every request and response. */
  readonly segments: readonly Segment[];
  /** Returns true if connections were cut. */
  wasCut(): boolean;
}

/** Starts a proxy in front of a service. It is closed when the test ends. */
export async function startCutOnceProxy(
  serviceUrl: string,
  cutAfterBytes = Number.POSITIVE_INFINITY,
): Promise<CutOnceProxy> {
  const target = Number(new URL(serviceUrl).port);
  const sockets = new Set<Socket>();
  const segments: Segment[] = [];
  let passed = 0;
  let wasCut = false;

  /** Counts the bytes and returns those that pass before the cut. */
  function pass(chunk: Buffer, to: Segment['to']): Buffer {
    const before = wasCut ? chunk : chunk.subarray(0, Math.max(0, cutAfterBytes - passed));
    const last = segments.at(-1);
    if (last?.to === to) last.end += before.length;
    else segments.push({ to, start: passed, end: passed + before.length });
    passed += before.length;
    return before;
  }

  function transfer(from: Socket, into: Socket, to: Segment['to']): void {
    from.on('data', (chunk: Buffer) => {
      into.write(pass(chunk, to), () => {
        if (wasCut || passed < cutAfterBytes) return;
        wasCut = true;
        for (const socket of sockets) socket.destroy();
      });
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      sockets.delete(from);
      into.destroy();
    });
  }

  const server = createServer((caller) => {
    const service = connect({ port: target, host: '127.0.0.1' });
    sockets.add(caller).add(service);
    transfer(caller, service, 'service');
    transfer(service, caller, 'caller');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, segments, wasCut: () => wasCut };
}
