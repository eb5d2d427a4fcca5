import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { startRawEndpointServer } from '../support/webhook-endpoints.ts';

let server: Awaited<ReturnType<typeof startRawEndpointServer>>;
let proxy: FaultProxy;
const opened: Socket[] = [];

/** Starts a server that returns every line in capitals and closes the connection on command. */
beforeEach(async () => {
  server = await startRawEndpointServer((socket) => {
    socket.on('data', (chunk) => {
      const text = String(chunk);
      if (text.startsWith('end')) socket.end('GOOD BYE');
      else socket.write(text.toUpperCase());
    });
  });
  proxy = await startFaultProxy(server.port);
});
afterEach(async () => {
  for (const socket of opened.splice(0)) socket.destroy();
  await proxy.close();
  await server.close();
});

interface Line {
  readonly socket: Socket;
  /** Returns the text that has arrived so far. */
  text(): string;
  /** Resolves once the given text has arrived. */
  receives(text: string): Promise<void>;
  /** End of the connection: the error code of the system, or an empty string for an orderly end. */
  readonly ended: Promise<string>;
}

function call(): Line {
  const socket = connect({ port: proxy.port, host: '127.0.0.1' });
  opened.push(socket);
  let text = '';
  let code = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code ?? 'unknown';
  });
  const ended = new Promise<string>((resolve) => socket.once('close', () => resolve(code)));
  return {
    socket,
    text: () => text,
    async receives(wanted) {
      while (text !== wanted) await once(socket, 'data');
    },
    ended,
  };
}

describe('a connection through the proxy', () => {
  it('carries both directions of a connection and the orderly end of either side', async () => {
    const line = call();
    line.socket.write('hello ');
    await line.receives('HELLO ');
    line.socket.write('end');
    expect(await line.ended).toBe('');
    expect(line.text()).toBe('HELLO GOOD BYE');

    const other = call();
    other.socket.end('end');
    expect(await other.ended).toBe('');
    expect(other.text()).toBe('GOOD BYE');
    expect(proxy.accepted()).toBe(2);
  });

  it('carries megabytes unchanged to a slow reader', async () => {
    const line = call();
    const sent = 'a chunk of text '.repeat(200_000);
    line.socket.pause();
    line.socket.write(sent);
    await once(line.socket, 'drain');
    line.socket.resume();
    await line.receives(sent.toUpperCase());
  });

  it('delivers data in order despite latency', async () => {
    await proxy.set({ kind: 'latency', ms: 20 });
    const line = call();
    line.socket.write('one ');
    await line.receives('ONE ');
    line.socket.write('two');
    await line.receives('ONE TWO');
  });

  it('cuts a connection after exactly the requested number of response bytes', async () => {
    await proxy.set({ kind: 'cut', afterBytes: 7 });
    const line = call();
    line.socket.write('hello ');
    await line.receives('HELLO ');
    line.socket.write('world');
    await line.ended;
    expect(line.text()).toBe('HELLO W');
  });

  it('resets a connection at once when the fault starts, and resets every later connection', async () => {
    const line = call();
    line.socket.write('hello');
    await line.receives('HELLO');
    await proxy.set({ kind: 'reset' });
    expect(await line.ended).toBe('ECONNRESET');
    expect(await call().ended).toBe('ECONNRESET');

    await proxy.set({ kind: 'pass' });
    const again = call();
    again.socket.write('back');
    await again.receives('BACK');
  });

  it('holds a connection open in a black hole and delivers everything when the hole is gone', async () => {
    const line = call();
    line.socket.write('before ');
    await line.receives('BEFORE ');
    await proxy.set({ kind: 'black-hole' });
    const late = call();
    line.socket.write('within ');
    late.socket.write('late');
    await once(late.socket, 'connect');
    // This connection bypasses the proxy. Its response proves that the server would have served the first
    // connections.
    const direct = connect({ port: server.port, host: '127.0.0.1' });
    opened.push(direct);
    direct.write('direct');
    await once(direct, 'data');
    expect([line.text(), late.text()]).toEqual(['BEFORE ', '']);

    await proxy.set({ kind: 'pass' });
    await Promise.all([line.receives('BEFORE WITHIN '), late.receives('LATE')]);
  });

  it('refuses connections while the proxy does not listen, and later accepts them on the same port', async () => {
    const line = call();
    line.socket.write('hello');
    await line.receives('HELLO');
    await proxy.set({ kind: 'refuse' });
    expect(await line.ended).toBe('ECONNRESET');
    expect(await call().ended).toBe('ECONNREFUSED');

    await proxy.set({ kind: 'pass' });
    const again = call();
    again.socket.write('back');
    await again.receives('BACK');
  });

  it('breaks a connection when the server behind the proxy is gone', async () => {
    await server.close();
    expect(await call().ended).toBe('ECONNRESET');
    server = await startRawEndpointServer(() => undefined);
  });
});
