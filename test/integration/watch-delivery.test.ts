import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  confirmDeliveries,
  type Delivery,
  watchDelivery,
} from '../../src/inbound/http/openai-v1/watch-delivery.ts';
import { openRaw } from '../support/raw-http.ts';

/** A response that is watched. */
interface Watched {
  readonly response: ServerResponse;
  readonly serverSocket: Socket;
  readonly client: Socket;
  readonly cut: () => void;
  /** Events so far: the end of the response, and its delivery. */
  readonly events: readonly ('ended' | Delivery)[];
}

/** Sends a request over a new connection and watches its response, which the test writes. The client reads nothing. */
async function watched(): Promise<Watched> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const requested = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
  const { socket: client } = await openRaw((server.address() as AddressInfo).port);
  client.pause();
  onTestFinished(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  const [request, response] = await requested;
  const events: ('ended' | Delivery)[] = [];
  const cut = watchDelivery(request.socket, response, {
    onEnd: () => events.push('ended'),
    onDelivery: (delivery) => events.push(delivery),
  });
  return { response, serverSocket: request.socket, client, cut, events };
}

/** Writes a response that fits into the buffers of the kernel. */
async function write(response: ServerResponse, sizeBytes = 10): Promise<void> {
  response.end(Buffer.alloc(sizeBytes));
  await once(response, 'finish');
}

describe('the delivery of a response', () => {
  it('is observed after the response has ended', async () => {
    const { response, client, events } = await watched();
    await write(response);
    expect(events).toEqual(['ended']);
    client.resume();
    client.end();
    await expect.poll(() => events).toEqual(['ended', 'delivered']);
  });

  it('is confirmed by another request on the connection', async () => {
    const { response, serverSocket, client, events } = await watched();
    await write(response, 300_000);
    confirmDeliveries(serverSocket);
    expect(events).toEqual(['ended', 'delivered']);
    client.resetAndDestroy();
    await expect.poll(() => serverSocket.destroyed).toBe(true);
    expect(events).toEqual(['ended', 'delivered']);
  });

  it('is confirmed after the time that a slow reader needs, which is limited', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { response, events } = await watched();
    await write(response, 300_000);
    await vi.advanceTimersByTimeAsync(6_500);
    expect(events).toEqual(['ended']);
    await vi.advanceTimersByTimeAsync(500);
    expect(events).toEqual(['ended', 'delivered']);
  });

  it('has failed if a client dies that has not read the last bytes', async () => {
    const { response, client, events } = await watched();
    await write(response, 300_000);
    client.destroy();
    await expect.poll(() => events).toEqual(['ended', 'disconnected']);
  });

  it('has failed if the client disconnects first', async () => {
    const { client, events } = await watched();
    client.destroy();
    await expect.poll(() => events).toEqual(['ended', 'disconnected']);
  });

  it('is cut if this process closes the connection', async () => {
    const { serverSocket, cut, events } = await watched();
    cut();
    await expect.poll(() => serverSocket.destroyed).toBe(true);
    expect(events).toEqual(['ended', 'cut']);
  });
});
