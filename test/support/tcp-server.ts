import { type AddressInfo, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Starts a TCP server that records all bytes, for responses that are not HTTP. It is closed when the test ends. */
export async function listenTcp(onSocket: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const parts: Buffer[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (part: Buffer) => parts.push(part));
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    port: (server.address() as AddressInfo).port,
    received: () => Buffer.concat(parts).toString('latin1'),
  };
}
