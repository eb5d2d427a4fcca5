import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { FastifyReply } from 'fastify';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSendEvents } from '../../../../src/inbound/http/event-stream.ts';
import { createTenantSlots } from '../../../../src/lib/tenant-slots.ts';

const heartbeatMs = 15_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** Opens a stream of a job that never changes. Returns the function that reads its next block. */
function openSilentStream() {
  const sendEvents = createSendEvents({
    presentTo: vi.fn(),
    presentPreviewTo: vi.fn(),
    longPollSlots: createTenantSlots({ max: 1, maxPerTenant: 1 }),
    draining: new AbortController().signal,
  });
  const socket = Object.assign(new EventEmitter(), { destroyed: false });
  const request = { raw: { socket } };
  let sent: Readable | undefined;
  const reply = {
    raw: Object.assign(new EventEmitter(), { closed: false }),
    request,
    header: () => reply,
    send(stream: Readable) {
      sent = stream;
      return reply;
    },
  };
  async function* open(signal: AbortSignal): AsyncGenerator<never> {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  }
  sendEvents(request as never, reply as unknown as FastifyReply, { tenant: 'acme', open });
  const blocks = sent?.[Symbol.asyncIterator]();
  return async (): Promise<string> => {
    const block = blocks?.next();
    await vi.advanceTimersByTimeAsync(heartbeatMs);
    return String((await block)?.value);
  };
}

/** Returns the size of the heap after a full collection, in bytes. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  return process.memoryUsage().heapUsed;
}

it('sends heartbeats on a silent stream without holding memory for each of them', async () => {
  const next = openSilentStream();
  expect(await next()).toBe(': open\n\n');
  for (let i = 0; i < 1_000; i++) expect(await next()).toBe(': heartbeat\n\n');
  const before = heapBytes();
  const heartbeats = 10_000;
  for (let i = 0; i < heartbeats; i++) await next();
  expect((heapBytes() - before) / heartbeats).toBeLessThan(100);
});
